from pathlib import Path

import pytest
import yaml
from factories import PROJECT

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.jars import check_hadoop_aws, hadoop_version, use_local_jars

PACKAGES = "spark.jars.packages"


@pytest.mark.parametrize("env", ["ec2", "cluster"])
def test_environments_on_s3_use_the_hadoop_version_of_pyspark(env: str) -> None:
    text = (PROJECT / f"conf/{env}/spark.yml").read_text()
    settings = yaml.safe_load(text)
    check_hadoop_aws(settings)
    assert f"hadoop-aws:{hadoop_version()}," in settings[PACKAGES]


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, "no hadoop-aws"),
        ({PACKAGES: "org.apache.hadoop:hadoop-aws:3.4.1"}, "hadoop-aws 3.4.1"),
        ({"spark.jars": "/j/hadoop-aws-3.4.2.jar,/j/s3.jar"}, "hadoop-aws 3.4.2"),
    ],
)
def test_wrong_hadoop_aws_is_an_error(settings: dict[str, str], found: str) -> None:
    with pytest.raises(FruitsError, match=f"Found {found} .*{hadoop_version()}"):
        check_hadoop_aws(settings)


def test_local_jars_replace_maven_coordinates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b.jar", f"hadoop-aws-{hadoop_version()}.jar", "notes.txt"):
        (tmp_path / name).touch()
    monkeypatch.setenv("FRUITS_JARS", str(tmp_path))
    settings = use_local_jars(
        {PACKAGES: "a:b:1", "spark.jars.excludes": "c:d", "x": "y"}
    )
    jars = f"{tmp_path}/b.jar,{tmp_path}/hadoop-aws-{hadoop_version()}.jar"
    assert settings == {"x": "y", "spark.jars": jars}
    check_hadoop_aws(settings)


def test_no_local_jars_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRUITS_JARS", str(tmp_path))
    with pytest.raises(FruitsError, match="no jars in FRUITS_JARS"):
        use_local_jars({PACKAGES: "a:b:1"})


def test_settings_without_jars_are_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRUITS_JARS", "/nowhere")
    assert use_local_jars({"x": "y"}) == {"x": "y"}
