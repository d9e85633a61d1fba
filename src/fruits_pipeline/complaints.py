"""What went wrong, in words: our own errors, and what Spark makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from fruits_pipeline.errors import FruitsError


def in_words(error: BaseException) -> str | None:
    """Return what a user can do about an error; None for one that only we can mend.

    Args:
        error: As it reached Kedro, which may have wrapped it.
    """
    for cause in _causes(error):
        if isinstance(cause, FruitsError):
            return str(cause)
        if isinstance(cause, PySparkException | Py4JError):
            return _of_spark(str(cause))
    return None


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
