"""Small files that are there whole or not at all."""

from __future__ import annotations

from fsspec.core import url_to_fs


def write_whole(place: str, content: bytes) -> None:
    """Write a file next to its place, then move it there.

    Args:
        place: Path or URL of the file; an old one is replaced.
        content: Of the file.
    """
    file_system, path = url_to_fs(place)
    file_system.makedirs(path.rpartition("/")[0], exist_ok=True)
    unfinished = f"{path}.unfinished"
    file_system.pipe_file(unfinished, content)
    file_system.mv(unfinished, path)
