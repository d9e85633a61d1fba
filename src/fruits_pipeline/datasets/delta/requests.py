"""Requests of delta-rs to S3: repetitions, and commits whose response was lost.

delta-rs repeats requests itself, but neither listings whose response is truncated, nor the
conditional request of a commit, which may have succeeded although there is no response.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar
from uuid import uuid4

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from fruits_pipeline.io.request_counts import ESTIMATED, Requests
from fruits_pipeline.run_id import run_id

Result = TypeVar("Result")

COMMIT_ID = "fruits.commit"
"""Name of the entry in the metadata of a commit that identifies it."""

READ, COMMIT = Requests(writes=1, reads=2), Requests(writes=4, reads=2)
"""Requests of delta-rs to read new commits, and to commit. Counted on a moto server; opening
a table also needs two for each commit since its checkpoint, which are not included."""

RUN = "fruits.run"
"""Name of the entry in the metadata of a commit with the id of its run."""

STORAGE_OPTIONS = {
    "connect_timeout": "5s",
    "timeout": "20s",
    "max_retries": "8",
    "retry_timeout": "40s",
}
"""Options of delta-rs for each request; its back-off is jittered."""

MAX_FAILURES, PATIENCE_SECONDS, MAX_DELAY = 12, 60.0, 2.0
"""Number of failures, and seconds since the first one, after which to give up."""

_FINAL = re.compile(r"40[0134] |Forbidden|Unauthorized|Not ?Found|credential", re.I)
"""Errors of requests that would fail again."""


def open_delta_table(location: str) -> DeltaTable:
    """Open the newest version of a table.

    Raises:
        TableNotFoundError: There is no table.
        DeltaError: The log is damaged.
        OSError: The storage does not respond.
    """
    options = storage_options(location)
    return repeat(location, partial(DeltaTable, location, storage_options=options))


def storage_options(location: str) -> dict[str, str] | None:
    """Return the options of delta-rs for a table."""
    return STORAGE_OPTIONS if _is_s3(location) else None


def repeat(location: str, request: Callable[[], Result]) -> Result:
    """Call a function that reads a log; repeat it after an error of S3.

    The content of a truncated response can look like a damaged log.

    Args:
        location: Path or URL of the table.
        request: The function.
    """
    failures, start = 0, time.monotonic()
    while True:
        try:
            if _is_s3(location):
                ESTIMATED.add(READ)
            return request()
        except (DeltaError, OSError) as exc:
            failures += 1
            if not _may_succeed_later(location, exc, failures, start):
                raise


def commit_once(location: str, commit: Callable[[Mapping[str, str]], None]) -> None:
    """Commit, and repeat the commit if its request failed and it is not in the log.

    Args:
        location: Path or URL of the table.
        commit: Commits; its argument is to be part of the metadata of the commit.
    """
    own_id = uuid4().hex
    failures, start = 0, time.monotonic()
    while True:
        try:
            if _is_s3(location):
                ESTIMATED.add(COMMIT)
            commit({COMMIT_ID: own_id, RUN: run_id()})
        except (DeltaError, OSError) as exc:
            # Also an error that looks like a conflict: it can be a conflict with itself.
            if _is_s3(location) and _has_commit(location, own_id):
                return
            failures += 1
            if not _may_succeed_later(location, exc, failures, start):
                raise
        else:
            return


def _has_commit(location: str, own_id: str) -> bool:
    try:
        table = open_delta_table(location)
        history = repeat(location, partial(table.history, 10))
    except TableNotFoundError:
        return False
    return any(commit.get(COMMIT_ID) == own_id for commit in history)


def _may_succeed_later(
    location: str, error: Exception, failures: int, start: float
) -> bool:
    """Wait, and return whether a failed request should be repeated."""
    is_over = failures >= MAX_FAILURES or time.monotonic() - start > PATIENCE_SECONDS
    is_final = isinstance(error, TableNotFoundError) or _FINAL.search(str(error))
    if not _is_s3(location) or is_final or is_over:
        return False
    time.sleep(random.random() * min(0.2 * 2**failures, MAX_DELAY))  # noqa: S311 - jitter
    return True


def _is_s3(location: str) -> bool:
    return location.startswith("s3://")
