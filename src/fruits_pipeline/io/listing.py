"""Select photos from a file listing, and extract labels from their paths."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

_SURROGATE = re.compile("[\ud800-\udfff]")
"""Python decodes bytes of a file name that are not UTF-8 to lone surrogates."""


class ListedFile(NamedTuple):
    """An entry of a file listing.

    Attributes:
        path: Path relative to the listed folder, with `/` as separator.
        size_bytes: Size of the file.
        modified_at: Time of the last change, with a time zone.
        etag: Entity tag of an S3 object; None on other file systems.
    """

    path: str
    size_bytes: int
    modified_at: datetime
    etag: str | None = None


class PathLabels(NamedTuple):
    """Label, split and series according to a path; None if the path contains none."""

    label: str | None = None
    split: str | None = None
    series: str | None = None


def select_photos(
    files: Iterable[ListedFile], extensions: Sequence[str]
) -> tuple[list[ListedFile], Counter[str]]:
    """Separate photos from other files.

    Args:
        files: The listing.
        extensions: File name extensions of photos, lower case, without the dot.

    Returns:
        The photos sorted by path, and the number of other files by reason.
    """
    photos: list[ListedFile] = []
    left_out: Counter[str] = Counter()
    for file in files:
        reason = _exclusion_reason(file.path, extensions)
        if reason:
            left_out[reason] += 1
        else:
            photos.append(file)
    return sorted(photos), left_out


def _exclusion_reason(path: str, extensions: Sequence[str]) -> str | None:
    """Return why a file is left out; None if it is a photo."""
    *_, name = parts = path.split("/")
    if any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return "hidden"
    if _SURROGATE.search(path):
        return "name is not UTF-8"
    _, dot, extension = name.rpartition(".")
    if not dot:
        return "no extension"
    return None if extension.lower() in extensions else f".{extension.lower()}"


def find_new_or_changed(
    photos: Iterable[ListedFile], existing: Mapping[str, ListedFile]
) -> list[ListedFile]:
    """Return the photos that are not ingested yet, or changed since.

    A photo has changed if its size or ETag differs, or without ETags, its time.

    Args:
        photos: The listing.
        existing: The ingested files by path.
    """
    return [p for p in photos if _is_new_or_changed(p, existing.get(p.path))]


def _is_new_or_changed(photo: ListedFile, existing: ListedFile | None) -> bool:
    if existing is None or photo.size_bytes != existing.size_bytes:
        return True
    if photo.etag and existing.etag:
        return photo.etag != existing.etag
    return photo.modified_at != existing.modified_at


def split_into_parts(
    files: Sequence[ListedFile], max_files: int, max_bytes: int
) -> Iterator[Sequence[ListedFile]]:
    """Split a listing into parts, in order.

    A file of more than `max_bytes` becomes a part of one file. An empty listing becomes
    one empty part.

    Args:
        files: The listing.
        max_files: Maximum number of files in a part.
        max_bytes: Maximum sum of the file sizes in a part.
    """
    start = total = 0
    for i, file in enumerate(files):
        is_full = i - start == max_files or total + file.size_bytes > max_bytes
        if i > start and is_full:
            yield files[start:i]
            start, total = i, 0
        total += file.size_bytes
    yield files[start:]


def parse_path(path: str, rules: Sequence[re.Pattern[str]]) -> PathLabels:
    """Return label, split and series of a path, by the first rule that matches it fully.

    Labels are normalised to Unicode NFC. The series is `label/` followed by the group
    `series`, so that it is unique; a rule without this group yields no series.

    Args:
        path: Path relative to the photo root.
        rules: Expressions with the named groups `label`, `split` and `series`.
    """
    for rule in rules:
        if match := rule.fullmatch(path):
            return _path_labels(match.groupdict())
    return PathLabels()


def _path_labels(groups: Mapping[str, str | None]) -> PathLabels:
    label = groups.get("label")
    if label is not None:
        label = unicodedata.normalize("NFC", label)
    has_series = label is not None and "series" in groups
    series = f"{label}/{groups['series'] or ''}" if has_series else None
    return PathLabels(label, groups.get("split"), series)
