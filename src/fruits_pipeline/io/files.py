"""Read and write whole files, on a disk or in a bucket."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from fsspec.asyn import sync
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem


def write_whole(place: str, content: bytes) -> None:
    """Write a file so that readers see all of it or nothing.

    On a disk it is written under a unique temporary name and renamed; object stores
    replace objects atomically.

    Args:
        place: Path or URL of the file; an old one is replaced.
        content: Content of the file.
    """
    file_system, path = url_to_fs(place)
    if not isinstance(file_system, LocalFileSystem):
        file_system.pipe_file(path, content)
        return
    temporary = f"{path}.{uuid4().hex}.unfinished"
    write_new(temporary, content)
    file_system.mv(temporary, path)


def write_new(place: str, content: bytes | memoryview) -> None:
    """Write a file that nobody reads before it is committed elsewhere.

    Args:
        place: Path or URL of the file; its folder is created.
        content: Content of the file.
    """
    file_system, path = url_to_fs(place)
    if isinstance(file_system, LocalFileSystem):
        file_system.makedirs(path.rpartition("/")[0], exist_ok=True)
    file_system.pipe_file(path, content)


def read_file(place: str) -> bytes:
    """Read a file by one request.

    Args:
        place: Path or URL of the file.
    """
    file_system, path = url_to_fs(place, **_settings(place, in_flight=1))
    return bytes(file_system.cat_file(path))


def read_files(
    root: str, paths: Sequence[str], in_flight: int
) -> list[bytes | OSError]:
    """Read files, each by one request.

    Args:
        root: Folder or URL that paths are relative to.
        paths: Of the files.
        in_flight: Requests at the same time to a store that answers slowly but often;
            the files of a disk are read one after the other, which is faster.

    Returns:
        For every path the content, or why it cannot be read.
    """
    file_system, base = url_to_fs(root, **_settings(root, in_flight))
    places = [f"{base}/{path}" for path in paths]
    if file_system.async_impl:
        found = sync(file_system.loop, _read_at_once, file_system, places, in_flight)
        return list(found)
    return [_read(file_system, place) for place in places]


def _settings(root: str, in_flight: int) -> dict[str, Any]:
    """Return what a client of S3 needs to be told.

    Unless it is, it has 10 connections, and asks for the size of a file before the file.
    """
    if not root.startswith("s3://"):
        return {}
    connections = {"max_pool_connections": in_flight}
    return {"config_kwargs": connections, "max_concurrency": 1}


def _read(file_system: Any, place: str) -> bytes | OSError:
    try:
        return bytes(file_system.cat_file(place))
    except OSError as exc:
        return exc


async def _read_at_once(
    file_system: Any, places: Sequence[str], in_flight: int
) -> list[bytes | OSError]:
    free = asyncio.Semaphore(in_flight)

    async def read(place: str) -> bytes | OSError:
        async with free:
            try:
                return bytes(await file_system._cat_file(place))
            except OSError as exc:
                return exc

    return await asyncio.gather(*map(read, places))
