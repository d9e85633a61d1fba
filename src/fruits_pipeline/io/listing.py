"""Split file listings into parts, and extract labels from paths."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple


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


def split_into_parts(
    sizes: Sequence[int], max_files: int, max_bytes: int
) -> Iterator[slice]:
    """Split a listing into parts, in order.

    A file of more than `max_bytes` becomes a part of one file. An empty listing becomes
    one empty part.

    Args:
        sizes: Size of each file in bytes.
        max_files: Maximum number of files in a part.
        max_bytes: Maximum sum of the file sizes in a part.

    Yields:
        The positions of the files of a part.
    """
    start = total = 0
    for i, size in enumerate(sizes):
        is_full = i - start == max_files or total + size > max_bytes
        if i > start and is_full:
            yield slice(start, i)
            start, total = i, 0
        total += size
    yield slice(start, len(sizes))


def compile_rules(rules: Iterable[str]) -> list[re.Pattern[str]]:
    """Compile path rules; `.` also matches line breaks, which names may contain."""
    return [re.compile(rule, re.DOTALL) for rule in rules]


def parse_path(path: str, rules: Sequence[re.Pattern[str]]) -> PathLabels:
    """Return label, split and series of a path, by the first rule that matches it fully.

    Labels are normalised to Unicode NFC; an empty group counts as absent. The series is
    `label/` followed by the group `series`, so that it is unique; a rule without this
    group yields no series.

    Args:
        path: Path relative to the photo root; empty components are ignored.
        rules: Expressions with the named groups `label`, `split` and `series`.
    """
    if "//" in path or path.startswith("/"):  # keys of S3 may have empty components
        path = "/".join(filter(None, path.split("/")))
    for rule in rules:
        if match := rule.fullmatch(path):
            return _path_labels(match.groupdict())
    return PathLabels()


def _path_labels(groups: Mapping[str, str | None]) -> PathLabels:
    label = unicodedata.normalize("NFC", groups.get("label") or "") or None
    has_series = label is not None and "series" in groups
    series = f"{label}/{groups['series'] or ''}" if has_series else None
    return PathLabels(label, groups.get("split") or None, series)
