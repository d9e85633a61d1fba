"""Preview of the photo root: some of its photos."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from kedro_datasets._typing import ImagePreview

from fruits_pipeline.datasets.previews.contact_sheet import (
    PHOTOS,
    Shown,
    photo_sheet,
    within_budget,
)
from fruits_pipeline.datasets.previews.rows import spread
from fruits_pipeline.io.exclusions import folder_reason, select_photos
from fruits_pipeline.io.files import is_local, read_files, resolve
from fruits_pipeline.io.listing import ListedFile

EXTENSIONS = ("jpg", "jpeg", "png", "webp", "heic", "tif", "tiff", "bmp", "gif")
"""Extensions of the photos that a preview shows."""

_MAX_DEPTH = 8
_UNKNOWN = datetime.fromtimestamp(0, UTC)
_MAX_KEYS = 1000  # of one request to S3


def folder_sheet(location: str, root: str | None) -> ImagePreview | None:
    """Return a contact sheet of photos in several folders; None if there are none.

    Local folders are listed only where photos are taken from. Of a bucket, the first
    1,000 objects are listed.

    Args:
        location: Path or URL of the photo root.
        root: Path or URL of the root of the tables, whose pictures are not shown.
    """
    files = (
        _find_local(location, root) if is_local(location) else _find_objects(location)
    )
    chosen = within_budget(files, lambda file: file.size_bytes)
    found = read_files(location, chosen, PHOTOS)
    photos = [
        Shown(file.path.rpartition("/")[2], result.content)
        for file, result in zip(chosen, found, strict=True)
        if isinstance(result.content, bytes)
    ]
    return photo_sheet(photos) if photos else None


def _find_local(location: str, root: str | None) -> list[ListedFile]:
    base = os.path.realpath(resolve(location)[1])
    excluded = os.path.realpath(resolve(root)[1]) if root and is_local(root) else None
    return (
        [*_walk(base, "", excluded, PHOTOS, _MAX_DEPTH)] if os.path.isdir(base) else []
    )


def _walk(
    base: str, prefix: str, excluded: str | None, wanted: int, depth: int
) -> Iterator[ListedFile]:
    """Yield up to `wanted` photos of a folder and its subfolders."""
    with os.scandir(f"{base}/{prefix}") as found:
        entries = sorted(found, key=lambda entry: entry.name)
    sizes = {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
    photos = _photos(
        ListedFile(prefix + name, size, _UNKNOWN) for name, size in sizes.items()
    )
    yield from (photos[i] for i in spread(len(photos), wanted))
    folders = [
        entry.name
        for entry in entries
        if entry.is_dir()
        and not folder_reason(entry.name)
        and os.path.realpath(entry.path) != excluded
    ]
    chosen = [folders[i] for i in spread(len(folders), wanted - len(photos))]
    share = -(-(wanted - len(photos)) // max(1, len(chosen)))
    for name in chosen if depth else []:
        yield from _walk(base, f"{prefix}{name}/", excluded, share, depth - 1)


def _find_objects(location: str) -> list[ListedFile]:
    bucket, _, prefix = location.partition("://")[2].rstrip("/").partition("/")
    prefix = f"{prefix}/" if prefix else ""
    request = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": _MAX_KEYS}
    page: Mapping[str, Any] = resolve(location)[0].call_s3("list_objects_v2", **request)
    photos = _photos(
        ListedFile(item["Key"][len(prefix) :], item["Size"], item["LastModified"])
        for item in page.get("Contents", [])
    )
    return [photos[i] for i in spread(len(photos), PHOTOS)]


def _photos(files: Iterable[ListedFile]) -> list[ListedFile]:
    return [file for file in select_photos(files, EXTENSIONS)[0] if file.size_bytes]
