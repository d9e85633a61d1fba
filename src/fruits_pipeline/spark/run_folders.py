"""Temporary folders of a run, which later runs delete if the run was killed.

A run holds a lock on its folders. The operating system releases the lock when the process
ends, however it ends, so a folder whose lock is free is not in use.
"""

from __future__ import annotations

import atexit
import fcntl
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from shutil import rmtree

logger = logging.getLogger(__name__)

LOCK = ".fruits-run.lock"
"""Locked file in the folder of a run. Folders without it are never deleted."""

_NAME = re.compile(r"fruits-\d+-[a-z0-9_]{8}")


@cache
def run_folder(parent: str) -> Path:
    """Return the temporary folder of this process, after deletion of stale folders.

    The folder is deleted when the process exits, or by a later run if it is killed.

    Args:
        parent: Existing folder, in which the folder is created at the first call.

    Raises:
        OSError: The folder cannot be created.
    """
    _delete_stale_folders(parent)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"fruits-{os.getpid()}-", dir=parent))
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        if _try_lock(lock) and (folder / LOCK).exists():
            atexit.register(_delete, folder)
            return folder
        os.close(lock)  # another run has locked and deleted the new folder


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Let Python's `tempfile` create files in a folder."""
    previous, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = previous


def _delete_stale_folders(parent: str) -> None:
    """Delete the folders of killed runs of this user."""
    with os.scandir(parent) as entries:
        found = [
            Path(entry.path)
            for entry in entries
            if _NAME.fullmatch(entry.name)
            and entry.is_dir(follow_symlinks=False)
            and entry.stat(follow_symlinks=False).st_uid == os.getuid()
        ]
    if deleted := sum(map(_delete_if_stale, found)):
        logger.info(
            "Deleted temporary folders of killed runs in %s: %d", parent, deleted
        )


def _delete_if_stale(folder: Path) -> bool:
    """Delete the folder of a run that has ended, and return whether it was deleted."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:  # not a folder of a run, or another run is deleting it
        return False
    try:
        if not _try_lock(lock, if_unsupported=False):
            return False
        _delete(folder)
    finally:
        os.close(lock)
    return not folder.exists()


def _try_lock(lock: int, if_unsupported: bool = True) -> bool:
    """Lock a file unless another process has locked it; return whether it is locked.

    Args:
        lock: File descriptor.
        if_unsupported: Result if the file system, such as some network drives, has no
            locks.
    """
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return if_unsupported
    return True


def _delete(folder: Path) -> None:
    """Delete a folder, and its lock last, so that a killed deletion can be repeated."""
    with suppress(OSError):
        for entry in [*os.scandir(folder)]:
            if entry.is_dir(follow_symlinks=False):
                rmtree(entry.path, ignore_errors=True)
            elif entry.name != LOCK:
                Path(entry.path).unlink(missing_ok=True)
        if os.listdir(folder) == [LOCK]:
            (folder / LOCK).unlink()
            folder.rmdir()
