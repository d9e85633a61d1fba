import errno
import traceback
from pathlib import Path

import click
import pytest
from kedro.io import DatasetError
from pyspark.errors import AnalysisException, PythonException
from pyspark.sql import SparkSession

from fruits_pipeline.errors import FruitsError, TransientError
from fruits_pipeline.exit_codes import TRANSIENT, USER_ERROR
from fruits_pipeline.hooks.errors import TRACEBACK_FILE, ErrorHooks, raise_for_user


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def spark_error(spark: SparkSession) -> AnalysisException:
    with pytest.raises(AnalysisException) as caught:
        spark.range(1).select("no_such_column")
    return caught.value


def test_message_of_a_user_error_is_shown_alone(folder: Path) -> None:
    wrapped = DatasetError("Failed while saving")
    wrapped.__cause__ = FruitsError("Found this; expected that.")
    with pytest.raises(click.ClickException) as shown:
        ErrorHooks().on_pipeline_error(wrapped)
    assert shown.value.message == "Found this; expected that."
    assert not (folder / TRACEBACK_FILE).exists()


def divide_by_zero() -> float:
    return 1 / 0


def test_programming_error_keeps_its_traceback(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        divide_by_zero()
    ErrorHooks().on_pipeline_error(caught.value)  # Kedro raises the error itself
    with pytest.raises(ZeroDivisionError) as raised:
        raise_for_user(caught.value)
    assert raised.value is caught.value
    functions = [frame.name for frame in traceback.extract_tb(raised.tb)]
    assert divide_by_zero.__name__ in functions
    assert not (folder / TRACEBACK_FILE).exists()


def test_programming_error_in_spark_is_reported_with_node_and_traceback_file(
    spark_error: AnalysisException, folder: Path
) -> None:
    hooks = ErrorHooks()
    hooks.node = "count_labels"
    with pytest.raises(click.ClickException) as shown:
        hooks.on_pipeline_error(spark_error)
    assert "UNRESOLVED_COLUMN" in shown.value.message
    assert "in node count_labels" in shown.value.message
    assert f"traceback in {folder / TRACEBACK_FILE}" in shown.value.message
    stored = (folder / TRACEBACK_FILE).read_text()
    assert 'select("no_such_column")' in stored
    assert Path(__file__).name in stored


def test_traceback_is_stored_in_the_temporary_directory_if_necessary(
    spark_error: AnalysisException, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / TRACEBACK_FILE).mkdir()  # so that it cannot be opened as a file
    monkeypatch.setattr("tempfile.tempdir", str(folder / "t"))
    (folder / "t").mkdir()
    with pytest.raises(click.ClickException, match=f"{folder}/t/{TRACEBACK_FILE}"):
        ErrorHooks().on_pipeline_error(spark_error)


@pytest.mark.parametrize("kind", [FruitsError, RuntimeError, OSError])
def test_credentials_are_shown_nowhere(kind: type[Exception], folder: Path) -> None:
    secret = "hunter-two-of-nobody"  # noqa: S105 - in no account
    with pytest.raises(kind) as caught:
        raise kind(f"Could not connect to http://user:{secret}@127.0.0.1:9000")
    with pytest.raises(click.ClickException) as shown:
        ErrorHooks().on_pipeline_error(caught.value)
    assert "http://***@127.0.0.1:9000" in shown.value.message
    if kind is not FruitsError:
        assert "http://***@127.0.0.1:9000" in (folder / TRACEBACK_FILE).read_text()
        assert secret not in (folder / TRACEBACK_FILE).read_text()
    assert secret not in shown.value.message


def test_names_do_not_control_the_terminal() -> None:
    with pytest.raises(click.ClickException) as shown:
        raise_for_user(FruitsError("Found \x1b[2Ja.jpg; expected a photo."))
    assert shown.value.message == "Found \\x1b[2Ja.jpg; expected a photo."


def test_traceback_is_stored_in_the_logs_folder_of_a_service(
    spark_error: AnalysisException, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "logs").mkdir()
    monkeypatch.setenv("LOGS_DIRECTORY", str(folder / "logs"))
    with pytest.raises(click.ClickException, match="logs/errors.log"):
        ErrorHooks().on_pipeline_error(spark_error)
    assert (folder / "logs" / TRACEBACK_FILE).exists()


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (FruitsError("Found this; expected that."), USER_ERROR),
        (PermissionError(errno.EACCES, "Permission denied", "/photos"), USER_ERROR),
        (OSError(errno.ENOSPC, "No space left on device", "/tables"), USER_ERROR),
        (TransientError("Found no response; expected one."), TRANSIENT),
        (
            PythonException("fruits_pipeline.errors.FruitsError: Found this.\n\n"),
            USER_ERROR,
        ),
        (
            PythonException("fruits_pipeline.errors.TransientError: Found it.\n\n"),
            TRANSIENT,
        ),
        (PythonException("Python worker exited unexpectedly (crashed)"), TRANSIENT),
    ],
    ids=lambda value: f"{type(value).__name__} {value}"[:50],
)
def test_exit_code_states_whether_the_same_command_can_succeed(
    error: Exception, exit_code: int
) -> None:
    with pytest.raises(click.ClickException) as shown:
        raise_for_user(error)
    assert shown.value.exit_code == exit_code


def test_transient_cause_of_another_error_is_found() -> None:
    wrapped = DatasetError("Failed while loading")
    wrapped.__cause__ = TransientError("Found no response; expected one.")
    with pytest.raises(click.ClickException) as shown:
        raise_for_user(wrapped)
    assert shown.value.exit_code == TRANSIENT
