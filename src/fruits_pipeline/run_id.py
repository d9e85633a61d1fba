"""Id of the current run: in its log, its summary, its commits and its figures.

Workers get the id with each task; see `spark.parts`.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

VARIABLE = "FRUITS_RUN_ID"
"""Environment variable with the id, for the log of Java."""


def new_run_id() -> str:
    """Return an id whose order is that of time, such as 20261127T234058Z-1f0c93ab."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


@dataclass
class _Current:
    run_id: str = ""
    has_begun: bool = False


_current = _Current()


def run_id() -> str:
    """Return the id of the current run, or else of the first run of this process."""
    if not _current.run_id:
        set_run_id(new_run_id())
    return _current.run_id


def begin_run() -> None:
    """Begin a run. The first one has the id of the messages before it."""
    if _current.has_begun:
        set_run_id(new_run_id())
    _current.has_begun = True
    os.environ[VARIABLE] = run_id()


def set_run_id(value: str) -> None:
    """Set the id of the current run of this process."""
    _current.run_id = value
