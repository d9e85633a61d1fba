"""What went wrong, in words: our own errors, and what Spark makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from fruits_pipeline.errors import FruitsError, denied, not_allowed

NO_SPACE = "No space left on device"

ACTIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "ListObjectsV2": "s3:ListBucket",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
}
"""What a role needs for a call to S3: AWS, "Actions, resources, and condition keys"."""


def in_words(error: BaseException) -> str | None:
    """Return what a user can do about an error; None for one that only we can mend.

    Args:
        error: As it reached Kedro, which may have wrapped it.
    """
    causes = [*_causes(error)]
    for cause in causes:
        if isinstance(cause, FruitsError):
            return str(cause)
        if NO_SPACE in str(cause):
            return _of_full_disk()
        if isinstance(cause, PySparkException | Py4JError):
            return _of_spark(str(cause))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return _of_permission(causes)
    return None


def is_for_users(error: BaseException) -> bool:
    """Return whether an error was raised for users, so that no traceback is needed."""
    return any(
        isinstance(cause, FruitsError) or "FruitsError: " in str(cause)
        for cause in _causes(error)
    )


def _of_full_disk() -> str:
    return (
        f"Found {NO_SPACE.lower()}; expected room for shuffles, uploads and tables. Free "
        "some, enlarge the disk (DiskGiB in deploy/template.yaml), or move "
        "spark.local.dir in conf/<env>/spark.yml."
    )


def _of_permission(causes: list[BaseException]) -> str:
    """Say which action on what is denied, as far as the errors tell."""
    calls = [getattr(cause, "operation_name", None) for cause in causes]
    call = next(filter(None, calls), "access")
    places = re.findall(r"s3a?://([^\s'\")]+)", "".join(map(str, causes)))
    local = [c.filename for c in causes if isinstance(c, OSError) and c.filename]
    if local and not places:
        return not_allowed(str(local[0]))
    what = f"arn:aws:s3:::{places[0]}" if places else str(causes[-1])
    return denied(ACTIONS.get(call, call), what)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _of_spark(text: str) -> str:
    """Find a worker's FruitsError in Spark's text, else its own first line."""
    ours = re.search(r"FruitsError: (.*?)(?:\n\n|\n\s+at |\Z)", text, re.DOTALL)
    if ours:
        return ours[1].strip()
    said = re.findall(
        r"^(?:Caused by: |: )?([\w.$]+(?:Error|Exception): .+)$", text, re.M
    )
    first = text.strip().splitlines()[0]
    return f"Spark failed: {said[-1] if said else first}"
