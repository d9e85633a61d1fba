"""Write local files that survive a power failure, and create their folders.

The content of a file, and its name in the folder, reach the disk before the functions
return (`fsync`). So a table's log never lists a file that a power failure can delete.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


def create_file(path: str, content: bytes) -> None:
    """Write a new file that nobody reads yet."""
    _make_folder(Path(path).parent)
    with open(path, "wb") as file:
        _write(file, content)
    _flush_folder(Path(path).parent)


def replace_file(path: str, content: bytes) -> None:
    """Replace a file so that readers see the old or the new content, never a part.

    The content is written to `<path>.unfinished`, which is then renamed. The name is
    fixed, so that the next writer of the file replaces what a killed writer has left.
    """
    folder, temporary = Path(path).parent, f"{path}.unfinished"
    _make_folder(folder)
    while True:
        flags = os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW
        with open(os.open(temporary, flags, 0o666), "wb") as file:
            with suppress(OSError):  # some network drives have no locks
                fcntl.flock(file, fcntl.LOCK_EX)
            if not _has_name(file, temporary):
                continue  # another writer has renamed the file
            try:
                file.truncate()
                _write(file, content)
                os.replace(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
        break
    _flush_folder(folder)


def flush_file(path: str) -> None:
    """Flush a file that another library has written, and its name, to the disk."""
    with open(path, "rb") as file:
        _flush(file.fileno())
    _flush_folder(Path(path).parent)


def _write(file: BinaryIO, content: bytes) -> None:
    file.write(content)
    file.flush()
    _flush(file.fileno())


def _flush_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _flush(descriptor)
    finally:
        os.close(descriptor)


def _flush(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as exc:
        if exc.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network drives
            raise


def _make_folder(path: Path) -> None:
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in reversed(missing):
        _flush_folder(folder.parent)


def _has_name(file: BinaryIO, path: str) -> bool:
    """Return whether an open file still has this path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
