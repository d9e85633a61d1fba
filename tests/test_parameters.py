import copy
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parameters import STAGES, check

CONF = Path(__file__).parents[1] / "conf" / "base"

Parameters = dict[str, Any]


@pytest.fixture
def parameters() -> Parameters:
    """What the project ships."""
    files = sorted(CONF.glob("parameters_*.yml"))
    found: Parameters = {}
    for file in files:
        found |= yaml.safe_load(file.read_text())
    return copy.deepcopy(found)


def complaints(parameters: Parameters) -> list[str]:
    with pytest.raises(FruitsError) as caught:
        check(parameters)
    title, *lines = str(caught.value).splitlines()
    assert title == "Wrong parameters:"
    return lines


def test_what_the_project_ships_is_right_and_complete(parameters: Parameters) -> None:
    check(parameters)
    assert parameters.keys() == STAGES.keys()


def test_places_may_be_set_besides_the_stages(parameters: Parameters) -> None:
    places = {
        "photos": "s3://fruits/photos",
        "root": "s3://fruits/run",
        "backbone_folder": "data/06_models/backbone",
        "changed_recipe": "rebuild",
    }
    check(parameters | places)


WRONG = [
    ("ingest.photos_per_batch", 0, "greater than or equal to 1"),
    ("ingest.photos_per_batch", 2.5, "valid integer"),
    ("ingest.photos_per_batch", "many", "valid integer"),
    ("ingest.photos_per_part", 0, "greater than or equal to 1"),
    ("ingest.part_bytes", 0, "greater than or equal to 1"),
    ("ingest.requests_in_flight", 1000, "less than or equal to 512"),
    ("ingest.extensions", [], "at least 1 item"),
    ("ingest.extensions", "jpg", "valid list"),
    ("ingest.path_rules", None, "valid list"),
    ("preprocess.short_side", 8, "greater than or equal to 16"),
    ("preprocess.max_pixels", -1, "greater than or equal to 1"),
    ("preprocess.max_error_rate", 1.01, "less than or equal to 1"),
    ("preprocess.max_error_rate", None, "valid number"),
    ("backbone.architecture", 5, "valid string"),
    ("backbone.arguments", [1], "valid dictionary"),
    ("backbone.inner_layers", "block_13_project_BN", "valid list"),
    ("backbone.input_size", 257, "less than or equal to 256"),
    ("backbone.weights", "", "at least 1 character"),
    ("backbone.training.epochs", -1, "greater than or equal to 0"),
    ("backbone.training.learning_rate", 0, "greater than 0"),
    ("backbone.training.weight_interpolation", 0, "greater than 0"),
    ("backbone.training.weight_interpolation", 1.5, "less than or equal to 1"),
    ("featurize.fit", "strech", "'pad', 'crop' or 'stretch'"),
    ("reduce.variance", 0, "greater than 0"),
    ("reduce.variance", 95, "less than or equal to 1"),
    ("reduce.variance", float("nan"), "finite number"),
    ("reduce.standardise", "perhaps", "valid boolean"),
    ("reduce.max_components", 0, "greater than or equal to 1"),
    ("reduce.refit", "sometimes", "'when needed', 'always' or 'never'"),
    ("report.examples_per_label", 51, "less than or equal to 50"),
    ("sample.size", 10, "greater than or equal to 32"),
]


@pytest.mark.parametrize(("name", "value", "said"), WRONG)
def test_a_wrong_value_is_one_line_with_its_name_its_value_and_its_file(
    name: str, value: Any, said: str, parameters: Parameters
) -> None:
    stage, *groups, key = name.split(".")
    reduce(getitem, groups, parameters[stage])[key] = value
    (line,) = complaints(parameters)
    assert line.startswith(f"- {name}: found {value!r}; ")
    assert said in line
    assert line.endswith(
        f"; change it in parameters_{stage}.yml or with --params {name}=..."
    )


@pytest.mark.parametrize("extension", [".jpg", "JPG", "*.png", ""])
def test_an_extension_that_no_file_can_have_is_refused(
    extension: str, parameters: Parameters
) -> None:
    parameters["ingest"]["extensions"] = ["png", extension]
    (line,) = complaints(parameters)
    assert line.startswith(f"- ingest.extensions.1: found {extension!r}; ")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("(?P<label>", "not a regular expression: "),
        ("(?P<lable>x)", "groups ['lable'], expected label, split or series"),
        (5, "valid string"),
    ],
)
def test_a_wrong_path_rule_is_pointed_at(
    rule: Any, said: str, parameters: Parameters
) -> None:
    parameters["ingest"]["path_rules"].insert(1, rule)
    (line,) = complaints(parameters)
    assert line.startswith(f"- ingest.path_rules.1: found {rule!r}; ")
    assert said in line


def test_a_misspelt_parameter_is_one_line_with_the_likely_name(
    parameters: Parameters,
) -> None:
    parameters["reduce"]["varience"] = 0.9
    assert complaints(parameters) == [
        "- reduce.varience: there is no such parameter; did you mean reduce.variance?"
    ]


def test_a_misspelt_stage_or_place_is_one_line_with_the_likely_name(
    parameters: Parameters,
) -> None:
    assert complaints(parameters | {"photo": "x", "featurise": {}}) == [
        "- photo: there is no such parameter; did you mean photos?",
        "- featurise: there is no such parameter; did you mean featurize?",
    ]


def test_a_name_like_no_other_is_answered_with_all_there_are(
    parameters: Parameters,
) -> None:
    parameters["featurize"]["zzz"] = 1
    (line,) = complaints(parameters)
    assert line.startswith("- featurize.zzz: there is no such parameter; expected one")
    assert "'fit'" in line


def test_a_missing_parameter_is_one_line_with_its_file(parameters: Parameters) -> None:
    del parameters["featurize"]
    del parameters["reduce"]["refit"]
    assert complaints(parameters) == [
        "- featurize.fit: not set; set it in parameters_featurize.yml",
        "- reduce.refit: not set; set it in parameters_reduce.yml",
    ]


@pytest.mark.parametrize("value", [0.9, None, ["variance"]])
def test_a_stage_that_is_no_group_of_parameters_is_named(
    value: Any, parameters: Parameters
) -> None:
    (line,) = complaints(parameters | {"reduce": value})
    assert line.startswith(f"- reduce: found {value!r}; Input should be a valid dict")
    assert line.endswith(
        "change it in parameters_reduce.yml or with --params reduce=..."
    )


def test_all_that_is_wrong_is_said_at_once(parameters: Parameters) -> None:
    parameters["reduce"] |= {"variance": 2, "refit": "no", "extra": 1}
    parameters["sample"]["size"] = "big"
    assert len(complaints(parameters | {"stage": 1})) == 5


def test_numbers_as_the_command_line_spells_them_are_understood(
    parameters: Parameters,
) -> None:
    parameters["reduce"] |= {"variance": "0.9", "max_components": "50"}
    parameters["backbone"]["training"]["learning_rate"] = "1e-4"
    check(parameters)


def test_a_misspelt_name_in_a_group_is_answered_with_the_nearest(
    parameters: Parameters,
) -> None:
    parameters["backbone"]["training"]["epoch"] = 3
    (line,) = complaints(parameters)
    assert line == (
        "- backbone.training.epoch: there is no such parameter; "
        "did you mean backbone.training.epochs?"
    )


def test_a_misspelt_answer_to_a_changed_recipe_is_refused(
    parameters: Parameters,
) -> None:
    (line,) = complaints(parameters | {"changed_recipe": "rebiuld"})
    assert line.startswith("- changed_recipe: found 'rebiuld'; expected")
    check(parameters | {"changed_recipe": "rebuild"})
