"""Replace or delete a file only if no other process has changed it since it was read.

Several processes, also on several machines, can do this at the same time: exactly one of
them succeeds. Local files are compared while they are locked; S3 compares ETags.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from fruits_pipeline.io import durable
from fruits_pipeline.io.files import is_local, read_file, resolve, write_file


class ChangedFileError(Exception):
    """Another process has changed, created or deleted the file."""


@dataclass(frozen=True)
class StoredFile:
    """A version of a file.

    Attributes:
        content: Its content.
        etag: Entity tag of an S3 object; empty on other file systems.
    """

    content: bytes
    etag: str = ""


def read_stored(path: str) -> StoredFile | None:
    """Return the content of a file; None if it does not exist."""
    if path.startswith("s3://"):
        # Imported here because it is slow to import, and only needed for S3.
        from fruits_pipeline.io.conditional_objects import read_object

        return read_object(path)
    try:
        return StoredFile(read_file(path))
    except FileNotFoundError:
        return None


def replace_stored(path: str, content: bytes, old: StoredFile | None) -> StoredFile:
    """Write a file atomically, if its content is still the expected one.

    Args:
        path: Path or URL; a missing local folder is created.
        content: The new content.
        old: The version that was read; None if there was no file.

    Returns:
        The new version.

    Raises:
        ChangedFileError: The file is not `old`.
    """
    if path.startswith("s3://"):
        from fruits_pipeline.io.conditional_objects import put_object

        return put_object(path, content, old)
    if is_local(path):
        _replace_local(resolve(path)[1], content, old)
    elif read_stored(path) != old:  # other file systems serve tests only
        raise ChangedFileError(path)
    else:
        write_file(path, content)
    return StoredFile(content)


def delete_stored(path: str, old: StoredFile) -> None:
    """Delete a file, if its content is still the expected one.

    Raises:
        ChangedFileError: The file is not `old`.
    """
    if path.startswith("s3://"):
        from fruits_pipeline.io.conditional_objects import delete_object

        delete_object(path, old)
        return
    target = resolve(path)[1]
    with _locked(target, old) as temporary:
        os.unlink(target)
        os.unlink(temporary)


def _replace_local(target: str, content: bytes, old: StoredFile | None) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with _locked(target, old) as temporary:
        write_file(temporary, content)
        if old is None:
            _create(temporary, target)
        else:
            os.replace(temporary, target)
    durable.flush_file(target)


def _create(temporary: str, target: str) -> None:
    """Rename a file, unless the new name exists, even on a drive without locks."""
    try:
        os.link(temporary, target)
    except FileExistsError as exc:
        raise ChangedFileError(target) from exc
    except OSError as exc:
        if exc.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}:
            raise
        os.replace(temporary, target)  # a drive without hard links
    else:
        os.unlink(temporary)


@contextmanager
def _locked(target: str, old: StoredFile | None) -> Iterator[str]:
    """Lock a temporary file in the context, if the content of the file is expected.

    The context must rename or delete the temporary file. Its name is fixed, so that the
    next writer replaces what a killed writer has left.

    Yields:
        Path of the temporary file.

    Raises:
        ChangedFileError: The content is another one, or another process is replacing the
            file now.
    """
    temporary = f"{target}.unfinished"
    flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW
    with open(os.open(temporary, flags, 0o666), "rb") as file:
        _lock(file, target)
        try:
            is_renamed = not os.path.samestat(
                os.fstat(file.fileno()), os.stat(temporary)
            )
        except FileNotFoundError:
            is_renamed = True
        if is_renamed:
            raise ChangedFileError(target)
        try:
            if read_stored(target) != old:
                raise ChangedFileError(target)
            yield temporary
        except BaseException:
            os.unlink(temporary)
            raise


def _lock(file: BinaryIO, target: str) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise ChangedFileError(target) from exc
    except OSError as exc:  # some network drives have no locks
        if exc.errno not in {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}:
            raise
