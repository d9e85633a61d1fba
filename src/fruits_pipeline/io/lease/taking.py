"""Take the lease on a root, and observe the lease of another run until it ends."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

from fruits_pipeline.errors import FruitsError, TransientError, file_error_message
from fruits_pipeline.io.conditional import (
    ChangedFileError,
    StoredFile,
    read_stored,
    replace_stored,
)
from fruits_pipeline.io.files import is_local, resolve
from fruits_pipeline.io.lease import lease as leases
from fruits_pipeline.io.lease.holder import (
    describe,
    is_dead,
    is_running,
    parse_holder,
    this_process,
)
from fruits_pipeline.io.lease.lease import (
    Lease,
    encode_lease,
    lease_path,
    seconds_since_boot,
)

logger = logging.getLogger(__name__)

POLL_SECONDS = 1


def take_lease(root: str, title: str, *, wait: bool = False) -> Lease:
    """Take the lease on a root, and renew it in a thread.

    Args:
        root: Path or URL of the root; a missing folder is created.
        title: What this process runs, for the message of other runs.
        wait: Whether to wait while another run holds the lease.

    Raises:
        FruitsError: The root is not writable; or another run holds the lease, and `wait`
            is false.
    """
    missing = [*_missing_folders(root)]
    lease = _try_to_take(root, title, None)  # usually there is none; saves a request
    watch, is_logged = LeaseWatch(leases.STALE_SECONDS), False
    has_waited = lease is None
    while lease is None:
        with _accessible(root):
            stored = read_stored(lease_path(root))
        if stored is None or watch.is_stale(stored.content):
            lease = _try_to_take(root, title, stored)
        elif not wait and watch.is_alive(stored.content):
            raise _held_error(root, stored)
        elif not is_logged:
            is_logged = True
            other = describe(parse_holder(stored.content))
            logger.warning("Found that %s uses %s; waiting for its end", other, root)
        if lease is None:
            time.sleep(POLL_SECONDS)
    lease.created_folders, lease.has_waited = missing, has_waited
    Thread(target=lease.renew_regularly, name="lease", daemon=True).start()
    return lease


def _try_to_take(root: str, title: str, old: StoredFile | None) -> Lease | None:
    """Write a new lease; return None if another run was faster.

    Args:
        root: Path or URL of the root.
        title: What this process runs.
        old: The stale lease; None if there is none.
    """
    holder, now = this_process(title), seconds_since_boot()
    with suppress(ChangedFileError), _accessible(root):
        stored = replace_stored(lease_path(root), encode_lease(holder, now), old)
        return Lease(root, holder, stored, now)
    return None


@contextmanager
def _accessible(root: str) -> Iterator[None]:
    """Raise a `FruitsError` if the root cannot be read or written."""
    try:
        yield
    except OSError as exc:
        # A file that has the name of a folder.
        number = errno.ENOTDIR if isinstance(exc, FileExistsError) else exc.errno or 0
        message = file_error_message(root, number) if is_local(root) else None
        if message is None:
            raise
        raise FruitsError(message) from exc


def _missing_folders(root: str) -> Iterator[str]:
    """Yield the local root and its parents that do not exist, the deepest first."""
    if is_local(root):
        folder = Path(resolve(root)[1])
        yield from (str(f) for f in (folder, *folder.parents) if not f.exists())


def _held_error(root: str, stored: StoredFile) -> TransientError:
    return TransientError(
        f"Found that {describe(parse_holder(stored.content))} uses {root}; expected one "
        "run at a time for each `root`. Wait until it has ended and run again, or let this "
        "run wait with --params concurrent_run=wait"
    )


class LeaseWatch:
    """Decides from the versions of a lease whether its holder lives.

    Args:
        stale_seconds: Time without a change after which a holder counts as dead.
    """

    def __init__(self, stale_seconds: float) -> None:
        self.stale_seconds = stale_seconds
        self.versions: set[bytes] = set()
        self.changed_at = 0.0

    def is_stale(self, content: bytes) -> bool:
        """Return whether the run that holds the lease has ended, or is suspended.

        Args:
            content: Content of the lease, just read.
        """
        now = time.monotonic()
        if content not in self.versions:
            self.versions.add(content)
            self.changed_at = now
        is_old = now - self.changed_at >= self.stale_seconds
        return is_old or is_dead(parse_holder(content))

    def is_alive(self, content: bytes) -> bool:
        """Return whether the lease was renewed, or its holder runs on this machine."""
        return len(self.versions) > 1 or is_running(parse_holder(content))
