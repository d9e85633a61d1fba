"""Which files of a folder are photos, which are new, and what their paths say."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple


class File(NamedTuple):
    """A file as a listing shows it.

    Attributes:
        path: Relative to the listed folder, as spelled there, `/` between parts.
        size_bytes: Of its content.
        modified_at: With a time zone.
        etag: S3's version of the content; None elsewhere.
    """

    path: str
    size_bytes: int
    modified_at: datetime
    etag: str | None = None


class Origin(NamedTuple):
    """What the path of a photo says about it; None where it says nothing."""

    label: str | None = None
    split: str | None = None
    series: str | None = None


def select_photos(
    files: Iterable[File], extensions: Sequence[str]
) -> tuple[list[File], Counter[str]]:
    """Tell photos from other files.

    Args:
        files: A listing.
        extensions: Of photos, lower case, without the dot.

    Returns:
        The photos by path, and how many files were left out by reason.
    """
    photos: list[File] = []
    left_out: Counter[str] = Counter()
    for file in files:
        reason = _why_not(file.path, extensions)
        if reason:
            left_out[reason] += 1
        else:
            photos.append(file)
    return sorted(photos), left_out


def _why_not(path: str, extensions: Sequence[str]) -> str | None:
    *_, name = parts = path.split("/")
    if any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return "hidden"
    if not path.isprintable() and _is_broken(path):
        return "name is not UTF-8"
    _, dot, extension = name.rpartition(".")
    if not dot:
        return "no extension"
    return None if extension.lower() in extensions else f".{extension.lower()}"


def _is_broken(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return True
    return False


def new_photos(photos: Iterable[File], held: Mapping[str, File]) -> list[File]:
    """Keep the photos that are not held yet, or have changed since.

    Args:
        photos: A listing.
        held: The newest version held of each path.
    """
    return [photo for photo in photos if _is_new(photo, held.get(photo.path))]


def _is_new(photo: File, held: File | None) -> bool:
    if held is None or photo.size_bytes != held.size_bytes:
        return True
    if photo.etag and held.etag:
        return photo.etag != held.etag
    return photo.modified_at != held.modified_at


def cut_parts(
    files: Sequence[File], most_files: int, most_bytes: int
) -> Iterator[Sequence[File]]:
    """Cut a listing into parts, in order; a file that is too large is one by itself.

    Args:
        files: The listing.
        most_files: Files in a part.
        most_bytes: Sum of their sizes.
    """
    begin = total = 0
    for i, file in enumerate(files):
        full = i - begin == most_files or total + file.size_bytes > most_bytes
        if i > begin and full:
            yield files[begin:i]
            begin, total = i, 0
        total += file.size_bytes
    yield files[begin:]


def origin(path: str, rules: Sequence[re.Pattern[str]]) -> Origin:
    """Read label, split and series off a path by the first rule that fits all of it.

    A series is one film of one fruit: the group `series`, even when it matches
    nothing, is made unique by the label. Labels are compared in Unicode's NFC.

    Args:
        path: Relative to the photo root.
        rules: Expressions with the named groups `label`, `split` and `series`.
    """
    for rule in rules:
        if match := rule.fullmatch(path):
            return _origin(match.groupdict())
    return Origin()


def _origin(groups: Mapping[str, str | None]) -> Origin:
    label = groups.get("label")
    if label is not None:
        label = unicodedata.normalize("NFC", label)
    filmed = label is not None and "series" in groups
    series = f"{label}/{groups['series'] or ''}" if filmed else None
    return Origin(label, groups.get("split"), series)
