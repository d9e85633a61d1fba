import shutil
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
import yaml
from factories import PROJECT
from kedro.config import OmegaConfigLoader

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parameter_validation import RENAMED, validate_parameters
from fruits_pipeline.parameters import STAGES

Parameters = dict[str, Any]


@pytest.fixture
def parameters() -> Parameters:
    """Return the parameters in `conf/base`."""
    files = sorted((PROJECT / "conf/base").glob("parameters_*.yml"))
    return {k: v for f in files for k, v in yaml.safe_load(f.read_text()).items()}


def error_lines(parameters: Parameters) -> list[str]:
    with pytest.raises(FruitsError) as caught:
        validate_parameters(parameters)
    title, *lines = str(caught.value).splitlines()
    assert title == "Wrong parameters:"
    return lines


def nested(name: str, value: object) -> Parameters:
    """Return a dotted parameter name and its value as nested dictionaries."""
    for key in reversed(name.split(".")):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def test_base_parameters_are_valid_and_complete(parameters: Parameters) -> None:
    validate_parameters(parameters)
    assert parameters.keys() == STAGES.keys()


def test_run_settings_are_accepted_beside_the_stages(parameters: Parameters) -> None:
    settings = {
        "photos": "s3://fruits/photos",
        "root": "s3://fruits/run",
        "backbone_folder": "data/06_models/backbone",
        "event_log": True,
        "changed_recipe": "rebuild",
    }
    validate_parameters(parameters | settings)


WRONG = [
    ("ingest.photos_per_batch", 0, "expected a number of at least 1"),
    ("ingest.photos_per_batch", 2.5, "expected a whole number"),
    ("ingest.photos_per_batch", "many", "expected a whole number"),
    ("ingest.photos_per_part", 0, "expected a number of at least 1"),
    ("ingest.part_bytes", 0, "expected a number of at least 1"),
    ("ingest.requests_in_flight", 1000, "expected a number of at most 512"),
    ("ingest.extensions", [], "expected a list that is not empty"),
    ("ingest.extensions", "jpg", "expected a list, such as [a, b]"),
    ("ingest.path_rules", None, "expected a list, such as [a, b]"),
    ("ingest.gone", "forget", "expected 'keep' or 'delete'"),
    ("ingest.max_gone_rate", 1.01, "expected a number of at most 1"),
    ("preprocess.short_side", 8, "expected a number of at least 16"),
    ("preprocess.decode_memory_mib", 31, "expected a number of at least 32"),
    ("preprocess.seconds_per_photo", 0, "expected a number of at least 0.1"),
    ("preprocess.max_error_rate", 1.01, "expected a number of at most 1"),
    ("preprocess.max_error_rate", None, "expected a number"),
    ("backbone.photos.held_out_series", "(", "expected a regular expression ("),
    ("backbone.architecture", 5, "expected text"),
    ("backbone.arguments", [1], "expected parameters by name"),
    ("backbone.inner_layers", "block_13_project_BN", "expected a list, such as [a, b]"),
    ("backbone.input_size", 257, "expected a number of at most 256"),
    ("backbone.weights", "", "expected text that is not empty"),
    ("backbone.training.epochs", -1, "expected a number of at least 0"),
    ("backbone.training.learning_rate", 0, "expected a number above 0"),
    ("backbone.training.weight_interpolation", 0, "expected a number above 0"),
    ("backbone.training.weight_interpolation", 1.5, "expected a number of at most 1"),
    ("featurize.fit", "strech", "'pad', 'crop' or 'stretch'"),
    ("reduce.variance", 0, "expected a number above 0"),
    ("reduce.variance", 95, "expected a number of at most 1"),
    ("reduce.variance", float("nan"), "expected a finite number"),
    ("reduce.standardise", "perhaps", "expected true or false"),
    ("reduce.max_components", 0, "expected a number of at least 1"),
    ("reduce.refit", "sometimes", "'when needed', 'always' or 'never'"),
    ("report.examples_per_label", 51, "expected a number of at most 50"),
    ("sample.size", 10, "expected a number of at least 32"),
]


@pytest.mark.parametrize(("name", "value", "expected"), WRONG)
def test_invalid_value_is_reported_with_name_value_and_file(
    name: str, value: Any, expected: str, parameters: Parameters
) -> None:
    stage, *groups, key = name.split(".")
    reduce(getitem, groups, parameters[stage])[key] = value
    (line,) = error_lines(parameters)
    assert line.startswith(f"- {name}: found {value!r}; ")
    assert expected in line
    assert line.endswith(
        f"; change it in parameters_{stage}.yml or with --params {name}=..."
    )


@pytest.mark.parametrize("extension", [".jpg", "JPG", "*.png", ""])
def test_invalid_extension_is_rejected(extension: str, parameters: Parameters) -> None:
    parameters["ingest"]["extensions"] = ["png", extension]
    (line,) = error_lines(parameters)
    assert line.startswith(f"- ingest.extensions.1: found {extension!r}; ")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("(?P<label>", "expected a regular expression ("),
        ("(?P<lable>x)", "expected groups label, split or series, not ['lable']"),
        (5, "expected text"),
    ],
)
def test_invalid_path_rule_is_reported_with_its_position(
    rule: Any, expected: str, parameters: Parameters
) -> None:
    parameters["ingest"]["path_rules"].insert(1, rule)
    (line,) = error_lines(parameters)
    assert line.startswith(f"- ingest.path_rules.1: found {rule!r}; ")
    assert expected in line


@pytest.mark.parametrize(
    ("name", "similar"),
    [
        ("reduce.varience", "reduce.variance"),
        ("backbone.training.epoch", "backbone.training.epochs"),
        ("photo", "photos"),
        ("featurise", "featurize"),
    ],
)
def test_misspelt_name_is_reported_with_the_most_similar_name(
    name: str, similar: str, parameters: Parameters
) -> None:
    *groups, key = name.split(".")
    reduce(getitem, groups, parameters)[key] = {}
    assert error_lines(parameters) == [
        f"- {name}: there is no such parameter; did you mean {similar}?"
    ]


def test_error_lists_names_if_none_is_similar(parameters: Parameters) -> None:
    parameters["featurize"]["zzz"] = 1
    (line,) = error_lines(parameters)
    assert line.startswith("- featurize.zzz: there is no such parameter; expected one")
    assert "'fit'" in line


def test_missing_parameter_is_reported_with_its_file(parameters: Parameters) -> None:
    del parameters["featurize"]
    del parameters["reduce"]["refit"]
    assert error_lines(parameters) == [
        "- featurize.fit: not set; set it in parameters_featurize.yml",
        "- reduce.refit: not set; set it in parameters_reduce.yml",
    ]


@pytest.mark.parametrize("value", [0.9, None, ["variance"]])
def test_stage_must_be_a_dictionary(value: Any, parameters: Parameters) -> None:
    (line,) = error_lines(parameters | {"reduce": value})
    assert line.startswith(f"- reduce: found {value!r}; expected parameters by name")
    assert line.endswith(
        "change it in parameters_reduce.yml or with --params reduce=..."
    )


def test_all_errors_are_reported_together(parameters: Parameters) -> None:
    parameters["reduce"] |= {"variance": 2, "refit": "no", "extra": 1}
    parameters["sample"]["size"] = "big"
    assert len(error_lines(parameters | {"stage": 1})) == 5


def test_random_weights_without_training_are_rejected(parameters: Parameters) -> None:
    parameters["backbone"]["weights"] = "random"
    validate_parameters(parameters)
    parameters["backbone"]["training"]["epochs"] = 0
    (line,) = error_lines(parameters)
    assert line.startswith("- backbone.training: found epochs 0 and backbone.weights r")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"concurrent_run": "maybe"}, "'maybe'; expected 'refuse' or 'wait'"),
        ({"log_format": "xml"}, "'xml'; expected 'text' or 'json'"),
        ({"changed_recipe": None}, "None; expected 'refuse' or 'rebuild'"),
        ({"changed_location": True}, "True; expected 'refuse' or 'accept'"),
        ({"event_log": "perhaps"}, "'perhaps'; expected true or false"),
    ],
)
def test_wrong_setting_in_globals_is_rejected(
    settings: Parameters, expected: str, parameters: Parameters
) -> None:
    (name,) = settings
    with pytest.raises(FruitsError) as caught:
        validate_parameters(parameters, settings)
    assert f"- {name}: found {expected}; change it in globals.yml" in str(caught.value)


def test_misspelt_setting_in_globals_is_rejected(parameters: Parameters) -> None:
    with pytest.raises(FruitsError, match="changed_recipie: .* mean changed_recipe"):
        validate_parameters(parameters, {"changed_recipie": "rebuild"})
    validate_parameters(parameters, {"my_bucket": "fruits"})


def test_parameter_overrides_a_wrong_setting(parameters: Parameters) -> None:
    chosen = parameters | {"concurrent_run": "wait"}
    validate_parameters(chosen, {"concurrent_run": "maybe"})


def test_numbers_given_as_text_are_accepted(parameters: Parameters) -> None:
    parameters["reduce"] |= {"variance": "0.9", "max_components": "50"}
    parameters["backbone"]["training"]["learning_rate"] = "1e-4"
    validate_parameters(parameters)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("changed_recipe", "'refuse' or 'rebuild'"),
        ("changed_location", "'refuse' or 'accept'"),
    ],
)
def test_unknown_choice_is_rejected(
    name: str, expected: str, parameters: Parameters
) -> None:
    assert error_lines(parameters | {name: "rebiuld"}) == [
        f"- {name}: found 'rebiuld'; expected {expected}; "
        f"change it in globals.yml or with --params {name}=..."
    ]


@pytest.mark.parametrize("name", ["photos", "root", "backbone_folder"])
def test_empty_location_is_rejected(name: str, parameters: Parameters) -> None:
    line = f"- {name}: found nothing; expected a folder or URL"
    assert error_lines(parameters | {name: ""}) == [line]


@pytest.mark.parametrize("value", [2024, 7, True, 1e3, ["a"], {"a": "b"}])
def test_location_that_is_not_text_is_rejected(
    value: object, parameters: Parameters
) -> None:
    (line,) = error_lines(parameters | {"photos": value})
    assert line.startswith(f"- photos: found {value!r} (")
    assert line.endswith("with ./ before it, such as ./2024")


def load(conf: Path, **runtime_params: Any) -> Parameters:
    """Return the parameters that Kedro reads from a folder and from `--params`."""
    loader = OmegaConfigLoader(
        str(conf), "base", runtime_params, base_env="base", default_run_env="base"
    )
    return dict(loader["parameters"])


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """Return a copy of the configuration."""
    return shutil.copytree(PROJECT / "conf/base", tmp_path / "base").parent


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_old_name_in_a_file_is_reported_with_the_new_name(
    old: str, new: str, conf: Path
) -> None:
    stage, *_, old_key = old.split(".")
    file = conf / f"base/parameters_{stage}.yml"
    text = file.read_text()
    new_key = new.rpartition(".")[2]
    assert text.count(f" {new_key}: ") == 1
    file.write_text(text.replace(f" {new_key}: ", f" {old_key}: "))
    assert error_lines(load(conf)) == [f"- {old}: was replaced; set {new} instead"]


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_old_name_in_params_is_reported_with_the_new_name(old: str, new: str) -> None:
    parameters = load(PROJECT / "conf", **nested(old, 0.5))
    assert error_lines(parameters) == [f"- {old}: was replaced; set {new} instead"]


@pytest.mark.parametrize("new", RENAMED.values())
def test_new_name_is_accepted_and_required(new: str, parameters: Parameters) -> None:
    validate_parameters(parameters)
    *groups, key = new.split(".")
    del reduce(getitem, groups, parameters)[key]
    file = f"parameters_{groups[0]}.yml"
    assert error_lines(parameters) == [f"- {new}: not set; set it in {file}"]


def test_old_name_and_invalid_value_are_reported(parameters: Parameters) -> None:
    parameters["classify"] |= {"training_splits": "train", "learned_splits": ["train"]}
    invalid, renamed = error_lines(parameters)
    assert invalid.startswith("- classify.training_splits: found 'train'; ")
    assert renamed.startswith("- classify.learned_splits: was replaced; ")


RULE = "(?P<label>[^/]+)/(?P<{group}>[a-z])_.+"


def test_old_group_in_a_file_is_reported_with_the_new_name(conf: Path) -> None:
    file = conf / "base/parameters_ingest.yml"
    file.write_text(file.read_text().replace("(?P<series>", "(?P<film>"))
    (line,) = error_lines(load(conf))
    assert line.startswith("- ingest.path_rules.0: found ")
    assert "group film was renamed to series" in line


def test_old_group_in_params_is_reported_with_the_new_name() -> None:
    rules = [RULE.format(group="film")]
    (line,) = error_lines(load(PROJECT / "conf", ingest={"path_rules": rules}))
    assert line.startswith(f"- ingest.path_rules.0: found {rules[0]!r}; ")
    assert "group film was renamed to series" in line


def test_new_group_is_accepted() -> None:
    rules = [RULE.format(group="series")]
    validate_parameters(load(PROJECT / "conf", ingest={"path_rules": rules}))
