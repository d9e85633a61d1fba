"""The lease on a root: it permits one run at a time to write below the root.

The lease is the file `.lease.json`. Its holder changes it every few seconds. Another run
may take it over if the process of the holder has ended, or if the file does not change for
a while. The time is measured by the clock of the run that waits, so clocks of different
machines are not compared.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

from fruits_pipeline.errors import TransientError
from fruits_pipeline.io.conditional import (
    ChangedFileError,
    StoredFile,
    delete_stored,
    read_stored,
    replace_stored,
)
from fruits_pipeline.io.lease.holder import describe, parse_holder

logger = logging.getLogger(__name__)

LEASE_NAME = ".lease.json"
"""Name of the file below the root."""

RENEWAL_SECONDS = 15
"""Time between two renewals."""

STALE_SECONDS = 60
"""Time without a renewal after which another run may take over the lease."""


def is_lease(path: str) -> bool:
    """Return whether a file below a root is its lease, or a lease that is being written."""
    return path.rpartition("/")[2].removesuffix(".unfinished") == LEASE_NAME


@dataclass
class Lease:
    """A lease that this process holds, and renews in a thread.

    Attributes:
        root: Path or URL of the root.
        holder: Description of this process.
        stored: The newest version of the file that this process has written.
        renewed_at: Time of the last renewal, in seconds since boot.
        created_folders: Folders that did not exist, the deepest first.
        has_waited: Whether there was a lease of another run.
        lost: Why the lease is lost; empty if it is not.
    """

    root: str
    holder: Mapping[str, Any]
    stored: StoredFile
    renewed_at: float
    created_folders: Sequence[str] = ()
    has_waited: bool = False
    lost: str = ""
    _lock: Lock = field(default_factory=Lock)
    _ended: Event = field(default_factory=Event)

    def check(self) -> None:
        """Raise if another run may have taken over the lease.

        Raises:
            TransientError: The file was replaced or deleted, or could not be renewed.
        """
        if seconds_since_boot() - self.renewed_at > STALE_SECONDS / 2:
            self._renew()
        age = seconds_since_boot() - self.renewed_at
        if not self.lost and age > STALE_SECONDS:
            self.lost = f"was not renewed for {age:.0f} seconds"
        if self.lost:
            raise TransientError(
                f"Found that {lease_path(self.root)} {self.lost}; expected the lease of this "
                "run, which is renewed while the run lives. The batches that this run "
                "committed are kept. Run again when no other run uses this `root`."
            )

    def release(self) -> None:
        """Stop the renewal, and delete the file if it is still that of this process."""
        self._ended.set()
        with self._lock:
            if self.lost:
                return
            self.lost = "was released"
            try:
                delete_stored(lease_path(self.root), self.stored)
            except Exception as exc:  # noqa: BLE001 - it becomes stale
                logger.warning("The lease was not released: %r", exc)
        for folder in self.created_folders:
            with suppress(OSError):  # it is not empty
                os.rmdir(folder)

    def renew_regularly(self) -> None:
        """Renew the lease, until `release` is called in another thread."""
        while not self._ended.wait(RENEWAL_SECONDS):
            self._renew()

    def _renew(self) -> None:
        with self._lock:
            if self.lost:
                return
            now = seconds_since_boot()
            content = encode_lease(self.holder, now)
            try:
                self.stored = replace_stored(
                    lease_path(self.root), content, self.stored
                )
                self.renewed_at = now
            except ChangedFileError:
                self.lost = _describe_change(self.root, self.stored)
            except Exception as exc:  # noqa: BLE001 - the next renewal may succeed
                logger.warning("The lease was not renewed: %r", exc)


def _describe_change(root: str, expected: StoredFile) -> str:
    """Return how a lease was changed by another process; empty if it was not.

    A request can conflict with another one that fails.
    """
    try:
        stored = read_stored(lease_path(root))
    except Exception as exc:  # noqa: BLE001 - this is part of another message
        return f"was replaced ({exc!r})"
    if stored is None:
        return "was deleted"
    if stored == expected:
        return ""
    return f"was taken over by {describe(parse_holder(stored.content))}"


def lease_path(root: str) -> str:
    """Return the path or URL of the lease on a root."""
    return f"{root.rstrip('/')}/{LEASE_NAME}"


def encode_lease(holder: Mapping[str, Any], renewal: float) -> bytes:
    """Return the content of a lease.

    Args:
        holder: Description of the process that holds it.
        renewal: Time of the renewal. Only a change of it matters to other processes.
    """
    return json.dumps({**holder, "renewal": renewal}, indent=1).encode()


def seconds_since_boot() -> float:
    """Return the seconds since boot, which also pass while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
