"""Read and write complete files."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem


def write_atomically(path: str, content: bytes) -> None:
    """Write a file so that readers see the old or the new content, never a part.

    A local file is written under a unique temporary name and renamed; its folder is
    created. Object stores replace objects atomically.
    """
    file_system, target = resolve(path)
    if not isinstance(file_system, LocalFileSystem):
        file_system.pipe_file(target, content)
        return
    temporary = f"{target}.{uuid4().hex}.unfinished"
    write_file(temporary, content)
    file_system.mv(temporary, target)


def write_file(path: str, content: bytes) -> None:
    """Write a new file that nobody reads yet, not atomically, and create its folder."""
    file_system, target = resolve(path)
    if isinstance(file_system, LocalFileSystem):
        file_system.makedirs(target.rpartition("/")[0], exist_ok=True)
    file_system.pipe_file(target, content)


def read_file(path: str) -> bytes:
    """Return the content of a file, with one request.

    Raises:
        FileNotFoundError: The file does not exist.
    """
    options = s3_options(1) if path.startswith("s3://") else {}
    file_system, source = resolve(path, **options)
    return bytes(file_system.cat_file(source))


def read_files(
    root: str, paths: Sequence[str], requests_in_flight: int
) -> list[bytes | OSError]:
    """Read files, with one request each.

    Args:
        root: Path or URL of a folder.
        paths: Paths of the files relative to `root`.
        requests_in_flight: Concurrent requests to a remote store. Local files are read
            one after the other, which is faster.

    Returns:
        The content of each file, or the error of reading it.

    Raises:
        FruitsError: The store does not respond, or rejects the credentials.
    """
    if is_local(root):
        _, base = resolve(root)
        return [_content_or_error(f"{base}/{path}") for path in paths]
    # Imported here because it is slow to import, and only needed for S3.
    from fruits_pipeline.io.objects import read_objects

    return read_objects(root, paths, requests_in_flight)


def read_local(path: str) -> bytes:
    """Return the content of a local file.

    Raises:
        OSError: The file cannot be read, or is not a regular file, such as a FIFO.
    """
    with open(path, "rb", buffering=0, opener=_open_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", path)
        return file.readall()


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


def s3_options(requests_in_flight: int) -> dict[str, Any]:
    """Return the options of an S3 client.

    By default, s3fs opens 10 connections, and requests the size of a file before its
    content, to read large files in concurrent chunks.
    """
    connections = {"max_pool_connections": requests_in_flight}
    return {"config_kwargs": connections, "max_concurrency": 1}
