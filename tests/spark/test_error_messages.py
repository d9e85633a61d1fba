import pytest
from botocore.exceptions import ClientError
from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, PythonException

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.error_messages import in_words


def chained(*errors: Exception) -> Exception:
    """Return the first error, raised from the second, and so on."""
    for error, cause in zip(errors, errors[1:], strict=False):
        error.__cause__ = cause
    return errors[0]


def test_our_own_error_is_said_as_it_is() -> None:
    assert in_words(FruitsError("Found x;\n- expected y.")) == "Found x;\n- expected y."


def test_our_own_error_is_found_below_what_kedro_makes_of_it() -> None:
    assert (
        in_words(chained(RuntimeError("node"), KeyError("a"), FruitsError("b"))) == "b"
    )


def test_our_own_error_is_found_among_what_was_being_handled() -> None:
    with pytest.raises(RuntimeError) as caught:
        try:
            raise FruitsError("Found x")
        except FruitsError:
            raise RuntimeError("Failed to save") from None
    assert in_words(caught.value) == "Found x"


def test_the_outermost_of_our_errors_is_said() -> None:
    assert in_words(chained(FruitsError("outer"), FruitsError("inner"))) == "outer"


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), OSError()])
def test_an_error_that_only_we_can_mend_has_no_words(error: Exception) -> None:
    assert in_words(error) is None


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
- Expected leave to read it.

\tat org.apache.spark.api.python.BasePythonRunner.handle(PythonRunner.scala:1)
\tat org.apache.spark.sql.execution.Other.next(Other.scala:2)
"""
WORDS = "Found a photo that cannot be read: a b.jpg.\n- Expected leave to read it."


def test_our_own_error_is_found_in_the_text_of_a_worker() -> None:
    assert in_words(PythonException(WORKER)) == WORDS
    assert in_words(chained(RuntimeError("node"), Py4JError(WORKER))) == WORDS


def test_our_own_error_is_found_where_the_stack_follows_at_once() -> None:
    assert in_words(PythonException(WORKER.replace("\n\n\tat", "\n\tat"))) == WORDS


def test_an_error_of_spark_is_its_last_cause_in_one_line() -> None:
    text = """An error occurred while calling o52.parquet.
: org.apache.spark.SparkException: Job aborted.
\tat org.apache.spark.Writer.write(Writer.scala:1)
Caused by: java.lang.RuntimeException: Failed to write
\tat org.apache.spark.Writer.close(Writer.scala:1)
Caused by: java.io.IOException: Stream is closed
\tat java.base/java.io.FileOutputStream.writeBytes(Native Method)
"""
    words = in_words(Py4JError(text))
    assert words == "Spark failed: java.io.IOException: Stream is closed"


def test_an_error_of_java_is_not_named_by_the_call_that_met_it() -> None:
    text = """An error occurred while calling o52.parquet.
: java.lang.ClassNotFoundException: Class S3AFileSystem not found
\tat org.apache.hadoop.conf.Configuration.getClassByName(Configuration.java:1)
"""
    assert in_words(Py4JError(text)) == (
        "Spark failed: java.lang.ClassNotFoundException: Class S3AFileSystem not found"
    )


def test_an_error_of_spark_without_a_cause_is_its_first_line() -> None:
    words = in_words(AnalysisException("[PATH_NOT_FOUND] Path is gone: x\nmore"))
    assert words == "Spark failed: [PATH_NOT_FOUND] Path is gone: x"


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        Py4JError("Caused by: java.io.IOException: No space left on device"),
    ],
)
def test_a_full_disk_is_named_with_what_to_do(error: Exception) -> None:
    words = in_words(chained(RuntimeError("node"), error)) or ""
    assert "no space left" in words
    assert "spark.local.dir" in words


def test_a_denied_call_is_named_by_its_action_and_resource() -> None:
    call = ClientError({"Error": {"Code": "403"}}, "HeadObject")
    dataset = RuntimeError("BatchTable(filepath='s3://fruits/data/photos').\nForbidden")
    words = in_words(chained(dataset, PermissionError("Forbidden"), call)) or ""
    assert "s3:GetObject on arn:aws:s3:::fruits/data/photos is denied" in words
