"""Messages for errors of Delta tables: from storage, the log, and other writers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from fruits_pipeline.errors import FruitsError, denied, not_allowed

ACTIONS = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject"}
"""What a role needs for a request."""


@contextmanager
def errors_in_words(place: str) -> Iterator[None]:
    """Replace errors of delta-rs, which come from storage, the log, or other writers."""
    try:
        yield
    except TableNotFoundError:
        raise
    except CommitFailedError as exc:
        raise overtaken(place) from exc
    except (DeltaError, OSError) as exc:
        if "already exists" in str(exc):  # created since it was looked for
            raise overtaken(place) from exc
        raise FruitsError(_in_words(place, str(exc))) from exc


def _in_words(place: str, text: str) -> str:
    request = re.search(r"Error performing ([A-Z]+) \w+://[^/]+/(\S+)", text)
    if request and "403 Forbidden" in text:
        method, path = request.groups()
        action = (
            "s3:ListBucket" if "list-type=" in path else ACTIONS.get(method, method)
        )
        return denied(action, f"arn:aws:s3:::{path.partition('?')[0]}")
    if "Permission denied" in text:
        return not_allowed(place)
    reason = " ".join(re.sub(r"\x1b\[\d*m|\u21b3", "", text).split())
    return (
        f"Found {place}/_delta_log unusable ({reason}); expected the log of a Delta table "
        "in a storage that can be reached. If the log is damaged, restore it from a copy, "
        f"or delete {place} and run again: its rows are computed again."
    )


def overtaken(place: str) -> FruitsError:
    """Return the error of a run whose table another run has claimed."""
    return FruitsError(
        f"Found that another run has begun to write to {place}; expected one run at a "
        "time for each `root`. What this run has committed is kept. Wait until the "
        "other run has ended, and run again."
    )
