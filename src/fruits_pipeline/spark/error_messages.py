"""Error messages for users: errors of this project, Spark, the disk and S3."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from fruits_pipeline.errors import (
    FruitsError,
    file_access_denied_message,
    s3_access_denied_message,
)

NO_SPACE = "No space left on device"
NO_SPACE_MESSAGE = (
    f"Found {NO_SPACE.lower()}; expected space for shuffles, uploads and tables. Delete "
    "files, enlarge the disk (DiskGiB in deploy/template.yaml), or move spark.local.dir "
    "in conf/<env>/spark.yml."
)

ACTIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
}
"""IAM action that an S3 operation requires.

Source: AWS, "Actions, resources, and condition keys for Amazon S3".
"""


def user_message(error: BaseException) -> str | None:
    """Return the message that explains an error to a user; None if there is none.

    Args:
        error: The error; Kedro may have wrapped it.
    """
    causes = [*_causes(error)]
    for cause in causes:
        if isinstance(cause, FruitsError):
            return str(cause)
        if NO_SPACE in str(cause):
            return NO_SPACE_MESSAGE
        if isinstance(cause, PySparkException | Py4JError):
            return _spark_message(str(cause))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return _access_denied_message(causes)
    return None


def is_user_error(error: BaseException) -> bool:
    """Return whether a user can fix the error, so that no traceback is needed."""
    return any(
        isinstance(cause, FruitsError) or "FruitsError: " in str(cause)
        for cause in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and the errors that it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _access_denied_message(causes: Sequence[BaseException]) -> str:
    """Return a message with the denied action and resource, if the errors contain them."""
    operations = [getattr(cause, "operation_name", None) for cause in causes]
    operation = next(filter(None, operations), "access")
    urls = re.findall(r"s3a?://([^\s'\")]+)", "".join(map(str, causes)))
    files = [c.filename for c in causes if isinstance(c, OSError) and c.filename]
    if files and not urls:
        return file_access_denied_message(str(files[0]))
    resource = f"arn:aws:s3:::{urls[0]}" if urls else str(causes[-1])
    return s3_access_denied_message(ACTIONS.get(operation, operation), resource)


def _spark_message(text: str) -> str:
    """Return the message of a worker's `FruitsError`, else one line about Spark's error.

    Args:
        text: Spark's error message, with tracebacks.
    """
    fruits_error = re.search(r"FruitsError: (.*?)(?:\n\n|\n\s+at |\Z)", text, re.DOTALL)
    if fruits_error:
        return fruits_error[1].strip()
    errors = re.findall(
        r"^(?:Caused by: |: )?([\w.$]+(?:Error|Exception): .+)$", text, re.M
    )
    first_line = text.strip().splitlines()[0]
    return f"Spark failed: {errors[-1] if errors else first_line}"
