"""Entries of a folder or bucket prefix, and tables of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import NamedTuple

import pyarrow as pa

from fruits_pipeline import schemas
from fruits_pipeline.io.exclusions import exclusion_reason
from fruits_pipeline.io.left_out import LeftOut
from fruits_pipeline.io.listing import ListedFile

TABLE_ROWS = 4096
"""Maximum rows of a table of `to_tables`."""


class FoundEntry(NamedTuple):
    """A file or object, or another entry that is left out.

    Attributes:
        path: Path relative to the listed folder, with `/` as separator.
        size_bytes: Size of the file.
        modified_at: Time of the last change, with a time zone; None if it is left out.
        etag: Entity tag of an S3 object; None on other file systems.
        archived: Whether the object must be restored before it can be read.
        reason: Why the entry is left out; None if it is a readable file.
    """

    path: str
    size_bytes: int = 0
    modified_at: datetime | None = None
    etag: str | None = None
    archived: bool = False
    reason: str | None = None

    def as_file(self) -> ListedFile:
        """Return the file; `modified_at` must be set."""
        return ListedFile(self.path, self.size_bytes, self.modified_at, self.etag)  # type: ignore[arg-type]


@dataclass(frozen=True)
class FoundFiles:
    """The content of a small folder or bucket prefix, in memory.

    Attributes:
        files: Regular files or objects, in any order.
        left_out: Other entries.
        archived: Paths of `files` that must be restored before they can be read.
    """

    files: list[ListedFile] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)
    archived: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, entries: Iterable[FoundEntry]) -> FoundFiles:
        """Return all entries of a listing."""
        found = cls()
        for entry in entries:
            if entry.reason:
                found.left_out.add(entry.path, entry.reason)
                continue
            found.files.append(entry.as_file())
            if entry.archived:
                found.archived.add(entry.path)
        return found


def to_tables(entries: Iterable[FoundEntry], left_out: LeftOut) -> Iterator[pa.Table]:
    """Yield tables of `schemas.LISTED` rows, as entries come.

    Args:
        entries: Entries of a listing.
        left_out: The entries that are left out are added to it. Also files whose name is
            not UTF-8, which no table can contain.
    """
    remaining = iter(entries)
    while chunk := [*islice(remaining, TABLE_ROWS)]:
        if rows := [entry[:-1] for entry in chunk if not _leave_out(entry, left_out)]:
            columns = zip(*rows, strict=True)
            arrays = [
                pa.array(values, kind.type)
                for values, kind in zip(columns, schemas.LISTED, strict=True)
            ]
            yield pa.table(arrays, schema=schemas.LISTED)


def _leave_out(entry: FoundEntry, left_out: LeftOut) -> bool:
    """Add an entry to `left_out` if it is no readable file; return whether it is none."""
    reason = entry.reason
    if reason is None and not entry.path.isascii() and not _is_utf8(entry.path):
        reason = exclusion_reason(entry.path, ())
    if reason:
        left_out.add(entry.path, reason)
    return reason is not None


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
