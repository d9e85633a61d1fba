"""Small files that are there whole or not at all."""

from __future__ import annotations

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem


def write_whole(place: str, content: bytes) -> None:
    """Write a file next to its place, then move it there; a bucket needs no move.

    Args:
        place: Path or URL of the file; an old one is replaced.
        content: Of the file.
    """
    file_system, path = url_to_fs(place)
    if not isinstance(file_system, LocalFileSystem):
        file_system.pipe_file(path, content)
        return
    file_system.makedirs(path.rpartition("/")[0], exist_ok=True)
    unfinished = f"{path}.unfinished"
    file_system.pipe_file(unfinished, content)
    file_system.mv(unfinished, path)
