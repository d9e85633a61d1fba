from pathlib import Path

import click
import pytest
from factories import PROJECT, write_files

from fruits_pipeline.config_loader import ConfigLoader
from fruits_pipeline.settings import CONFIG_LOADER_ARGS


def load(conf: Path, env: str, key: str) -> object:
    return ConfigLoader(str(conf), env, **CONFIG_LOADER_ARGS)[key]


def test_unknown_environment_is_reported_with_the_known_ones() -> None:
    with pytest.raises(click.ClickException) as caught:
        load(PROJECT / "conf", "ec3", "parameters")
    assert "Found no environment ec3" in caught.value.message
    assert "expected one of base, cluster, ec2, local" in caught.value.message


def test_missing_variable_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FRUITS_BUCKET", raising=False)
    with pytest.raises(click.ClickException) as caught:
        load(PROJECT / "conf", "ec2", "catalog")
    assert caught.value.message.startswith(
        "Found no environment variable FRUITS_BUCKET"
    )
    assert "\n" not in caught.value.message


def test_invalid_file_is_named(tmp_path: Path) -> None:
    files = {"base/spark.yml": b"a: [1\nb: 2\n", "local/.gitkeep": b""}
    conf = write_files(tmp_path / "conf", files)
    with pytest.raises(click.ClickException, match="base/spark.yml"):
        load(conf, "local", "spark")
