from pathlib import Path

import click
import pytest
from kedro.io import DatasetError
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.hooks import ErrorHooks
from fruits_pipeline.hooks.errors import TRACEBACKS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def wrong_column(spark: SparkSession) -> AnalysisException:
    with pytest.raises(AnalysisException) as caught:
        spark.range(1).select("no_such_column")
    return caught.value


def test_an_error_for_users_is_shown_alone(folder: Path) -> None:
    wrapped = DatasetError("Failed while saving")
    wrapped.__cause__ = FruitsError("Found this; expected that.")
    with pytest.raises(click.ClickException) as shown:
        ErrorHooks().on_pipeline_error(wrapped)
    assert shown.value.message == "Found this; expected that."
    assert not (folder / TRACEBACKS).exists()


def test_an_error_of_a_program_keeps_its_traceback() -> None:
    ErrorHooks().on_pipeline_error(ZeroDivisionError("division by zero"))


def test_a_programming_error_in_spark_names_the_node_and_keeps_its_traceback(
    spark: SparkSession, folder: Path
) -> None:
    hooks = ErrorHooks()
    hooks.node = "count_labels"
    with pytest.raises(click.ClickException) as shown:
        hooks.on_pipeline_error(wrong_column(spark))
    assert "UNRESOLVED_COLUMN" in shown.value.message
    assert "in node count_labels" in shown.value.message
    assert f"traceback in {folder / TRACEBACKS}" in shown.value.message
    kept = (folder / TRACEBACKS).read_text()
    assert 'select("no_such_column")' in kept
    assert Path(__file__).name in kept


def test_a_traceback_goes_elsewhere_if_the_folder_cannot_be_written(
    spark: SparkSession, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / TRACEBACKS).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder / "t"))
    (folder / "t").mkdir()
    with pytest.raises(click.ClickException, match=f"{folder}/t/{TRACEBACKS}"):
        ErrorHooks().on_pipeline_error(wrong_column(spark))
