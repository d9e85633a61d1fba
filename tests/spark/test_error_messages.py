import pytest
from botocore.exceptions import ClientError
from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, PythonException

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.error_messages import user_message


def chained(*errors: Exception) -> Exception:
    """Return the first error, raised from the second, and so on."""
    for error, cause in zip(errors, errors[1:], strict=False):
        error.__cause__ = cause
    return errors[0]


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([FruitsError("Found x;\n- expected y.")], "Found x;\n- expected y."),
        ([RuntimeError("node"), KeyError("a"), FruitsError("b")], "b"),
        ([FruitsError("outer"), FruitsError("inner")], "outer"),
    ],
)
def test_outermost_fruits_error_is_used(errors: list[Exception], expected: str) -> None:
    assert user_message(chained(*errors)) == expected


def test_fruits_error_is_found_in_the_context() -> None:
    with pytest.raises(RuntimeError) as caught:
        try:
            raise FruitsError("Found x")
        except FruitsError:
            raise RuntimeError("Failed to save") from None
    assert user_message(caught.value) == "Found x"


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), OSError()])
def test_programming_error_has_no_message(error: Exception) -> None:
    assert user_message(error) is None


WORKER = """\
Job aborted due to stage failure: Task 0 in stage 3.0 failed 1 times:
org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "/opt/worker.py", line 1, in main
    process()
PermissionError: [Errno 13] Permission denied

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/opt/arrow_steps.py", line 60, in read
    raise FruitsError(
fruits_pipeline.errors.FruitsError: Found a photo that cannot be read: a b.jpg.
- Expected permission to read it.

\tat org.apache.spark.api.python.BasePythonRunner.handle(PythonRunner.scala:1)
\tat org.apache.spark.sql.execution.Other.next(Other.scala:2)
"""
MESSAGE = (
    "Found a photo that cannot be read: a b.jpg.\n- Expected permission to read it."
)


def test_fruits_error_of_a_worker_is_extracted_from_the_traceback() -> None:
    assert user_message(PythonException(WORKER)) == MESSAGE
    assert user_message(chained(RuntimeError("node"), Py4JError(WORKER))) == MESSAGE


def test_fruits_error_of_a_worker_may_be_followed_by_a_stack_trace() -> None:
    assert (
        user_message(PythonException(WORKER.replace("\n\n\tat", "\n\tat"))) == MESSAGE
    )


def test_spark_error_is_reduced_to_its_last_cause() -> None:
    text = """An error occurred while calling o52.parquet.
: org.apache.spark.SparkException: Job aborted.
\tat org.apache.spark.Writer.write(Writer.scala:1)
Caused by: java.lang.RuntimeException: Failed to write
\tat org.apache.spark.Writer.close(Writer.scala:1)
Caused by: java.io.IOException: Stream is closed
\tat java.base/java.io.FileOutputStream.writeBytes(Native Method)
"""
    message = user_message(Py4JError(text))
    assert message == "Spark failed: java.io.IOException: Stream is closed"


def test_java_error_without_a_cause_is_shown_without_the_py4j_call() -> None:
    text = """An error occurred while calling o52.parquet.
: java.lang.ClassNotFoundException: Class S3AFileSystem not found
\tat org.apache.hadoop.conf.Configuration.getClassByName(Configuration.java:1)
"""
    assert user_message(Py4JError(text)) == (
        "Spark failed: java.lang.ClassNotFoundException: Class S3AFileSystem not found"
    )


def test_spark_error_without_a_cause_is_reduced_to_its_first_line() -> None:
    message = user_message(AnalysisException("[PATH_NOT_FOUND] Path is gone: x\nmore"))
    assert message == "Spark failed: [PATH_NOT_FOUND] Path is gone: x"


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        Py4JError("Caused by: java.io.IOException: No space left on device"),
    ],
)
def test_full_disk_message_names_the_setting(error: Exception) -> None:
    message = user_message(chained(RuntimeError("node"), error)) or ""
    assert "no space left" in message
    assert "spark.local.dir" in message


def test_denied_request_message_names_action_and_resource() -> None:
    call = ClientError({"Error": {"Code": "403"}}, "HeadObject")
    dataset = RuntimeError("BatchTable(filepath='s3://fruits/data/photos').\nForbidden")
    message = user_message(chained(dataset, PermissionError("Forbidden"), call)) or ""
    assert "s3:GetObject on arn:aws:s3:::fruits/data/photos is denied" in message


def test_error_that_is_its_own_cause_is_reported() -> None:
    error = OSError("reset")
    try:
        raise error from error
    except OSError as exc:
        assert user_message(exc) is None
