"""Read and write complete files."""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import fsspec
from fsspec.implementations.local import LocalFileSystem

from fruits_pipeline.io import durable
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.io.read_errors import CHANGED, PhotoError

# By name, because it is slow to import, and only needed for S3.
fsspec.register_implementation("s3", "fruits_pipeline.io.s3.PatientS3", clobber=True)

LOCAL_ATTEMPTS = 4
"""Number of attempts to read a local file."""

TRANSIENT_NUMBERS = {errno.ESTALE, errno.EIO, errno.ETIMEDOUT, errno.EAGAIN}
"""Numbers of errors of network drives that can disappear."""


def write_atomically(path: str, content: bytes) -> None:
    """Write a file so that readers see the old or the new content, never a part.

    A local file is flushed to the disk, and its folder is created. Object stores replace
    objects atomically.
    """
    file_system, target = resolve(path)
    if not isinstance(file_system, LocalFileSystem):
        file_system.pipe_file(target, content)
    else:
        durable.replace_file(target, content)


def write_file(path: str, content: bytes) -> None:
    """Write a new file that nobody reads yet, not atomically, and create its folder.

    A local file is flushed to the disk.
    """
    file_system, target = resolve(path)
    if not isinstance(file_system, LocalFileSystem):
        file_system.pipe_file(target, content)
    else:
        durable.create_file(target, content)


def read_file(path: str) -> bytes:
    """Return the content of a file, with one request.

    Raises:
        FileNotFoundError: The file does not exist.
    """
    file_system, source = resolve(path)
    return bytes(file_system.cat_file(source))


class FileContent(NamedTuple):
    """A file that was read.

    Attributes:
        content: The content, or the error of reading it.
        etag: Entity tag of the content; None if unknown.
        retries: Number of repetitions of the request.
    """

    content: bytes | OSError
    etag: str | None = None
    retries: int = 0


def read_files(
    root: str,
    files: Sequence[ListedFile],
    requests_in_flight: int,
    is_repeated: bool = False,
) -> list[FileContent]:
    """Read listed files, with one request each if there is no fault.

    A file that has another size than listed is an error.

    Args:
        root: Path or URL of a folder.
        files: Files below `root`.
        requests_in_flight: Concurrent requests to a remote store. Local files are read
            one after the other, which is faster.
        is_repeated: Whether an earlier attempt to read these files has failed.

    Returns:
        The content of each file, or the error of reading it.

    Raises:
        FruitsError: The store does not respond, or rejects the credentials.
    """
    if is_local(root):
        _, base = resolve(root)
        return [_read_listed(f"{base}/{file.path}", file.size_bytes) for file in files]
    # Imported here because it is slow to import, and only needed for S3.
    from fruits_pipeline.io.objects import read_objects

    return read_objects(root, files, requests_in_flight, is_repeated)


def read_local(path: str) -> bytes:
    """Return the content of a local file.

    Raises:
        OSError: The file cannot be read, or is not a regular file, such as a FIFO.
    """
    with open(path, "rb", buffering=0, opener=_open_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", path)
        return file.readall()


def _read_listed(path: str, size: int) -> FileContent:
    """Read a local file of a listing; repeat it after an error of a network drive."""
    for retries in range(LOCAL_ATTEMPTS):
        time.sleep(retries * 0.2)
        content = _content_or_error(path)
        if isinstance(content, bytes):
            return FileContent(
                content if len(content) == size else PhotoError(CHANGED), None, retries
            )
        if content.errno not in TRANSIENT_NUMBERS:
            break
    return FileContent(content, None, retries)


def _content_or_error(path: str) -> bytes | OSError:
    try:
        return read_local(path)
    except OSError as exc:
        return exc


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file; without the flag, opening a FIFO waits for a writer."""
    return os.open(path, flags | os.O_NONBLOCK)


def is_local(location: str) -> bool:
    """Return whether a location is a local path or a `file:` URL, not another URL."""
    protocol = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", location)
    return protocol is None or protocol[1] == "file"


def resolve(location: str, **options: Any) -> tuple[Any, str]:
    """Return the file system of a path or URL, and its path in the file system.

    Unlike `fsspec.url_to_fs`, does not split a path with `::` into several URLs.

    Args:
        location: Path or URL.
        **options: Options of the file system.
    """
    protocol = "file" if is_local(location) else location.partition("://")[0]
    file_system = fsspec.filesystem(protocol, **options)
    return file_system, file_system._strip_protocol(location)
