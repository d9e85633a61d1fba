"""Read and write complete files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem


def write_atomically(path: str, content: bytes) -> None:
    """Write a file so that readers see the old or the new content, never a part.

    A local file is written under a unique temporary name and renamed; its folder is
    created. Object stores replace objects atomically.
    """
    file_system, target = url_to_fs(path)
    if not isinstance(file_system, LocalFileSystem):
        file_system.pipe_file(target, content)
        return
    temporary = f"{target}.{uuid4().hex}.unfinished"
    write_file(temporary, content)
    file_system.mv(temporary, target)


def write_file(path: str, content: bytes) -> None:
    """Write a new file that nobody reads yet, not atomically, and create its folder."""
    file_system, target = url_to_fs(path)
    if isinstance(file_system, LocalFileSystem):
        file_system.makedirs(target.rpartition("/")[0], exist_ok=True)
    file_system.pipe_file(target, content)


def read_file(path: str) -> bytes:
    """Return the content of a file, with one request.

    Raises:
        FileNotFoundError: The file does not exist.
    """
    file_system, source = url_to_fs(path, **_s3_options(path, requests_in_flight=1))
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
    """
    file_system, base = url_to_fs(root, **_s3_options(root, requests_in_flight))
    absolute = [f"{base}/{path}" for path in paths]
    options = {"batch_size": requests_in_flight} if file_system.async_impl else {}
    # Unlike `cat`, `cat_ranges` does not interpret paths as glob patterns.
    found = file_system.cat_ranges(absolute, None, None, on_error="return", **options)
    for content in found:
        if isinstance(content, Exception) and not isinstance(content, OSError):
            raise content
    return list(found)


def _s3_options(url: str, requests_in_flight: int) -> dict[str, Any]:
    """Return the options of an S3 client; none for other file systems.

    By default, s3fs opens 10 connections, and requests the size of a file before its
    content, to read large files in concurrent chunks.
    """
    if not url.startswith("s3://"):
        return {}
    connections = {"max_pool_connections": requests_in_flight}
    return {"config_kwargs": connections, "max_concurrency": 1}
