"""Find and read the photos that a user names on the command line."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.exclusions import select_photos
from fruits_pipeline.io.files import is_local, read_local
from fruits_pipeline.io.folders import list_folder

PHOTO_EXTENSIONS = (
    *("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "webp", "bmp", "gif", "tif", "tiff"),
    *("avif", "heic", "heif", "hif"),
)
"""The default of `ingest.extensions`."""


def find_photos(
    names: Sequence[str], extensions: Collection[str] = PHOTO_EXTENSIONS
) -> Iterator[tuple[str, str | None]]:
    """Yield the path of each photo, and why it cannot be used; None if it may be.

    Args:
        names: Paths of files, and of folders that are searched recursively.
        extensions: File name extensions of photos in folders, lower case.
    """
    for name in names:
        if not is_local(name):
            yield (
                name,
                "is a URL; expected a local file or folder. Copy the photo first",
            )
        elif os.path.isdir(name):
            yield from _find_in_folder(name, extensions)
        else:
            yield name, None


def _find_in_folder(
    name: str, extensions: Collection[str]
) -> Iterator[tuple[str, str | None]]:
    try:
        found = list_folder(os.path.realpath(name))
    except (OSError, FruitsError) as exc:
        yield name, str(exc)
        return
    photos, left_out = select_photos(found.files, extensions)
    for photo in photos:
        yield os.path.join(name, photo.path), None
    if not photos:
        left_out.merge(found.left_out)
        others = left_out.describe()
        content = f"contains no photos, but {others}" if others else "is empty"
        yield name, f"{content}; expected photos"


def read_photo_file(path: str) -> bytes:
    """Return the content of a photo.

    Raises:
        ValueError: The file cannot be read.
    """
    try:
        return read_local(path)
    except OSError as exc:
        raise ValueError(f"cannot be read: {exc.strerror}") from exc
