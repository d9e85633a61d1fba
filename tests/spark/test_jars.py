from pathlib import Path

import pytest
import yaml
from factories import PROJECT

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.jars import check_jars, hadoop_version, with_jars

PACKAGES = "spark.jars.packages"


@pytest.mark.parametrize("env", ["ec2", "cluster"])
def test_every_environment_on_s3_asks_for_the_hadoop_that_pyspark_has(env: str) -> None:
    text = (PROJECT / f"conf/{env}/spark.yml").read_text()
    settings = yaml.safe_load(text)
    check_jars(settings)
    assert f"hadoop-aws:{hadoop_version()}," in settings[PACKAGES]


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, "no hadoop-aws"),
        ({PACKAGES: "org.apache.hadoop:hadoop-aws:3.4.1"}, "hadoop-aws 3.4.1"),
        ({"spark.jars": "/j/hadoop-aws-3.4.2.jar,/j/s3.jar"}, "hadoop-aws 3.4.2"),
    ],
)
def test_jars_that_are_missing_or_of_another_version_are_refused(
    settings: dict[str, str], found: str
) -> None:
    with pytest.raises(FruitsError, match=f"Found {found} .*{hadoop_version()}"):
        check_jars(settings)


def test_a_folder_of_jars_takes_the_place_of_coordinates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b.jar", f"hadoop-aws-{hadoop_version()}.jar", "notes.txt"):
        (tmp_path / name).touch()
    monkeypatch.setenv("FRUITS_JARS", str(tmp_path))
    settings = with_jars({PACKAGES: "a:b:1", "spark.jars.excludes": "c:d", "x": "y"})
    jars = f"{tmp_path}/b.jar,{tmp_path}/hadoop-aws-{hadoop_version()}.jar"
    assert settings == {"x": "y", "spark.jars": jars}
    check_jars(settings)


def test_a_folder_without_jars_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRUITS_JARS", str(tmp_path))
    with pytest.raises(FruitsError, match="no jars in FRUITS_JARS"):
        with_jars({PACKAGES: "a:b:1"})


def test_an_environment_without_jars_takes_none_from_the_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FRUITS_JARS", "/nowhere")
    assert with_jars({"x": "y"}) == {"x": "y"}
