from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from factories import PROJECT
from kedro.config import OmegaConfigLoader

from fruits_pipeline.cli import forget, run
from fruits_pipeline.cli_options import split_locations
from fruits_pipeline.settings import CONFIG_LOADER_ARGS


def parse(text: Any) -> dict[str, Any]:
    """Return the parameters that `kedro run --params TEXT` passes on."""
    (option,) = (option for option in run.params if option.name == "params")
    assert option.callback
    found: dict[str, Any] = option.callback(click.Context(run), option, text)
    return found


def loader(**parameters: Any) -> OmegaConfigLoader:
    conf = str(PROJECT / "conf")
    return OmegaConfigLoader(conf, "base", parameters, **CONFIG_LOADER_ARGS)


@pytest.mark.parametrize(
    "name",
    [
        *("2024", "007", "1e3", "1_000", "0x10", "true", "no", "null", "2024-01-01"),
        *("12:30:45", "a b", "a=b", "a:b", "a: b", "a #1", "[a]", "{a}"),
        *(
            "*x",
            "&x",
            "!x",
            "%x",
            "@x",
            "`a",
            "|",
            ">",
            "-",
            "?",
            "it's",
            'q"x',
            "a\nb",
        ),
        *("${HOME}", r"a\${HOME}", r"a\\${b", "$HOME", "x${y", r"C:\x", "ete\u0301 🍎"),
    ],
)
def test_location_is_taken_literally(name: str) -> None:
    config = loader(**parse(f"reduce.variance=0.5,root={name},changed_recipe=refuse"))
    assert config["parameters"]["root"] == name
    assert config["parameters"]["reduce"]["variance"] == 0.5
    assert config["catalog"]["pca"]["filepath"] == f"{name}/06_models/pca.npz"


def test_all_locations_are_taken_literally() -> None:
    catalog = loader(**parse("photos=007,root=008,backbone_folder=009"))["catalog"]
    assert catalog["photo_store"]["filepath"] == "007"
    assert catalog["photo_store"]["tables"] == {"path": "008"}
    assert catalog["backbone"]["filepath"] == "009"


@pytest.mark.parametrize("text", ["'2024'", '"2024"', " 2024 ", " '2024' "])
def test_quotes_and_white_space_around_a_location_are_removed(text: str) -> None:
    assert parse(f"photos={text}") == {"photos": "2024"}


@pytest.mark.parametrize("name", ["a,b", "a, b #1", "a,root=x", ",", "it's, b"])
def test_location_with_commas_is_quoted(name: str) -> None:
    text = f'reduce.variance=0.5,photos="{name}" ,event_log=true'
    assert parse(text) == {
        "photos": name,
        "reduce": {"variance": 0.5},
        "event_log": True,
    }


@pytest.mark.parametrize("text", ["photos=a,b", "photos=a, b,root=x", "photos='a',b"])
def test_location_with_commas_and_without_quotes_is_rejected(text: str) -> None:
    with pytest.raises(click.UsageError, match="in quotes: photos='a,b'"):
        parse(text)


def test_marker_of_a_missing_value_is_a_name() -> None:
    catalog = loader(**parse("photos=???"))["catalog"]
    assert catalog["photo_store"]["filepath"] == "./???"


def test_empty_location_is_kept_for_the_error_message() -> None:
    assert parse("photos=,root= ") == {"photos": "", "root": ""}


def test_other_parameters_are_parsed_as_yaml() -> None:
    found = parse("reduce.variance=0.5,event_log=true,ingest.extensions=[jpg]")
    assert found == {
        "reduce": {"variance": 0.5},
        "event_log": True,
        "ingest": {"extensions": ["jpg"]},
    }


def test_parameters_of_a_file_are_not_parsed() -> None:
    assert parse({"photos": 2024}) == {"photos": 2024}


def test_no_parameters_are_accepted() -> None:
    assert parse("") == {}


def test_item_without_value_is_rejected() -> None:
    with pytest.raises(
        click.UsageError, match="Item `x` must contain a key and a value"
    ):
        parse("reduce.variance=0.5,x")


def test_last_of_equal_locations_is_used() -> None:
    assert split_locations("root=a,root=b") == ({"root": "b"}, "")


@pytest.mark.parametrize("option", ["--pipelines=ingest,nope", "--pipeline=nope"])
def test_unknown_pipeline_is_reported(option: str) -> None:
    result = CliRunner().invoke(run, [option])
    assert result.exit_code == 2
    assert (
        "found nope; expected some of __default__, backbone, check, classify"
        in result.output
    )


def test_forget_takes_photos_and_the_options_of_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[list[str], Any]] = []
    monkeypatch.setattr(
        "fruits_pipeline.forget.forget", lambda *args: calls.append(args)
    )
    listed = tmp_path / "photos.txt"
    listed.write_text("é, 1.jpg\r\n\n a.jpg \nb.jpg\n", encoding="utf-8")
    arguments = ["b.jpg", "a, b.jpg", "--from-file", str(listed)]
    options = ["--env", "ec2", "--params", "photos=2024,root='a,b',reduce.variance=0.5"]
    result = CliRunner().invoke(forget, [*arguments, *options, "--", "-x.jpg"])
    assert result.exit_code == 0, result.output
    ((photos, given),) = calls
    assert photos == ["b.jpg", "a, b.jpg", "-x.jpg", "é, 1.jpg", " a.jpg "]
    assert given.env == "ec2"
    expected = {"photos": "2024", "root": "a,b", "reduce": {"variance": 0.5}}
    assert given.params == expected
