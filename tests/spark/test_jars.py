from pathlib import Path

import pytest
from factories import PROJECT
from kedro.config import OmegaConfigLoader
from pyspark.sql import SparkSession

from fruits_pipeline.environment import SUBMIT_VARIABLE, VARIABLES
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.settings import CONFIG_LOADER_ARGS
from fruits_pipeline.spark.jars import (
    AWS_SDK,
    check_jars,
    hadoop_version,
    jars_for_s3,
    use_local_jars,
)

PACKAGES = "spark.jars.packages"


@pytest.mark.parametrize("env", ["ec2", "cluster"])
def test_environments_on_s3_use_the_hadoop_version_of_pyspark(
    env: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, (_, value) in VARIABLES.items():
        monkeypatch.setenv(name, value)
    config = OmegaConfigLoader(str(PROJECT / "conf"), env, **CONFIG_LOADER_ARGS)
    assert config["spark"][PACKAGES] == jars_for_s3(hadoop_version())


@pytest.mark.parametrize("hadoop", AWS_SDK)
def test_all_modules_of_the_sdk_have_one_version(hadoop: str) -> None:
    first, *others = jars_for_s3(hadoop).split(",")
    assert first == f"org.apache.hadoop:hadoop-aws:{hadoop}"
    assert {other.split(":")[2] for other in others} == {AWS_SDK[hadoop]}


def test_unknown_hadoop_is_an_error() -> None:
    with pytest.raises(
        FruitsError, match=r"Found Hadoop 2\.7\.0 .*expected one of 3\.4\.1"
    ):
        jars_for_s3("2.7.0")


def test_spark_submit_chooses_the_jars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SUBMIT_VARIABLE, "1")
    assert jars_for_s3() == ""


def test_missing_jars_are_an_error(spark: SparkSession) -> None:
    with pytest.raises(FruitsError, match=f"Found no hadoop-aws, .*{hadoop_version()}"):
        check_jars(spark.sparkContext._jvm)


def test_local_jars_replace_maven_coordinates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b.jar", "hadoop-aws-3.5.0.jar", "notes.txt"):
        (tmp_path / name).touch()
    monkeypatch.setenv("FRUITS_JARS", str(tmp_path))
    settings = use_local_jars(
        {PACKAGES: "a:b:1", "spark.jars.excludes": "c:d", "x": "y"}
    )
    jars = f"{tmp_path}/b.jar,{tmp_path}/hadoop-aws-3.5.0.jar"
    assert settings == {"x": "y", "spark.jars": jars}


def test_no_local_jars_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRUITS_JARS", str(tmp_path))
    with pytest.raises(FruitsError, match="no jars in FRUITS_JARS"):
        use_local_jars({PACKAGES: "a:b:1"})


def test_settings_without_jars_are_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRUITS_JARS", "/nowhere")
    assert use_local_jars({"x": "y"}) == {"x": "y"}
