"""Error messages for users: errors of this project, Spark, the disk and S3."""

from __future__ import annotations

import re

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException, PythonException

from fruits_pipeline.errors import FruitsError, TransientError, causes
from fruits_pipeline.spark.storage_errors import storage_message

_USER_ERROR = "(?:Fruits|Transient)Error"
"""Errors that workers raise, in the messages of Spark."""


def user_message(error: BaseException) -> str | None:
    """Return the message that explains an error to a user; None if there is none.

    Args:
        error: The error; Kedro may have wrapped it.
    """
    for cause in causes(error):
        if isinstance(cause, FruitsError):
            return str(cause)
        if isinstance(cause, PySparkException | Py4JError):
            text = str(cause)
            return _worker_message(text) or _storage_message(error) or _summary(text)
    return _storage_message(error)


def is_user_error(error: BaseException) -> bool:
    """Return whether a user can fix the error, so that no traceback is needed."""
    return _storage_message(error) is not None or any(
        isinstance(cause, FruitsError) or re.search(f"{_USER_ERROR}: ", str(cause))
        for cause in causes(error)
    )


def is_transient(error: BaseException) -> bool:
    """Return whether the same command can succeed later, without any change."""
    return not is_user_error(error) or any(
        isinstance(cause, TransientError) or "TransientError: " in str(cause)
        for cause in causes(error)
    )


def is_task_failure(error: BaseException) -> bool:
    """Return whether a task has failed because of its code, its data or a lost worker.

    Such a task can succeed if it is run again in another way. False if a user can fix the
    error, or has cancelled the job.
    """
    is_failed = isinstance(error, PythonException) or (
        isinstance(error, PySparkException | Py4JError)
        and "Job aborted due to stage failure" in str(error)
    )
    return is_failed and not is_user_error(error)


def _storage_message(error: BaseException) -> str | None:
    errors = [*causes(error)]
    types = (OSError, PySparkException, Py4JError)
    return storage_message(errors, [str(e) for e in errors if isinstance(e, types)])


def _worker_message(text: str) -> str | None:
    """Return the message of a worker's `FruitsError` in Spark's error message."""
    found = re.search(rf"{_USER_ERROR}: (.*?)(?:\n\n|\n\s+at |\Z)", text, re.DOTALL)
    return found[1].strip() if found else None


def _summary(text: str) -> str:
    """Return one line about Spark's error message, which contains tracebacks."""
    if "Python worker exited unexpectedly" in text:
        return "Spark failed: a Python worker was killed, or has crashed"
    errors = re.findall(
        r"^(?:Caused by: |: )?([\w.$]+(?:Error|Exception): .+)$", text, re.M
    )
    first_line = text.strip().splitlines()[0]
    return f"Spark failed: {errors[-1] if errors else first_line}"
