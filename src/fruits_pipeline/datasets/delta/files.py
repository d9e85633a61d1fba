"""Files of a Delta table, as its log lists them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from fsspec.core import url_to_fs


@dataclass(frozen=True)
class StoredFile:
    """A file that the log lists.

    Attributes:
        path: Relative to the table, `batch=000001/part-00000-....parquet`.
        size_bytes: Size of the file.
        batch: Name of its batch.
        rows: Number of rows.
        errors: Number of rows with an `error`.
        photos: Number of photos; a row of moments stands for many.
        first_path: Lowest `path` of a row, None where unknown.
        last_path: Highest `path` of a row, None where unknown.
    """

    DIGESTS: ClassVar = re.compile(r".*-([0-9a-f]{16})-([0-9a-f]{16})\.parquet")

    path: str
    size_bytes: int
    batch: str
    rows: int
    errors: int
    photos: int
    first_path: str | None = None
    last_path: str | None = None

    @property
    def keys(self) -> int | None:
        """Digest of the keys of all rows; None if another program wrote the file."""
        return self._digest(1)

    @property
    def valid_keys(self) -> int | None:
        """Digest of the keys of the rows without an error; None as for `keys`."""
        return self._digest(2)

    def _digest(self, number: int) -> int | None:
        match = self.DIGESTS.fullmatch(self.path)
        return int(match[number], 16) if match else None

    def stats(self) -> str:
        """Return the statistics of the Delta protocol, as JSON."""
        stats: dict[str, Any] = {"numRecords": self.rows}
        if self.errors:
            stats["nullCount"] = {"error": self.rows - self.errors}
        if self.first_path is not None:
            stats["minValues"] = {"path": self.first_path}
            stats["maxValues"] = {"path": self.last_path}
        if self.photos != self.rows:
            stats["minValues"] = stats["maxValues"] = {"n": self.photos}
        return json.dumps(stats)


def stored_file(batch: str, report: Mapping[str, Any]) -> StoredFile:
    """Return the file of a write report.

    Args:
        batch: Name of its batch.
        report: Row of `schemas.WRITE_REPORT`.
    """
    described = {name: report[name] for name in report if name != "file"}
    return StoredFile(f"batch={batch}/{report['file']}", batch=batch, **described)


def listed_file(row: Mapping[str, Any]) -> StoredFile:
    """Return the file of an add action, as `get_add_actions(flatten=True)` has it."""
    rows = row["num_records"]
    nulls = row.get("null_count.error")
    return StoredFile(
        path=row["path"],
        size_bytes=row["size_bytes"],
        batch=row["partition.batch"],
        rows=rows,
        errors=0 if nulls is None else rows - nulls,
        photos=rows if row.get("min.n") is None else row["min.n"],
        first_path=row.get("min.path"),
        last_path=row.get("max.path"),
    )


def sizes(place: str) -> dict[str, int]:
    """Return the sizes of all files below a folder, by relative path."""
    file_system, base = url_to_fs(place)
    file_system.invalidate_cache()
    found = file_system.find(base, detail=True)
    return {
        name.removeprefix(base).lstrip("/"): info["size"]
        for name, info in found.items()
    }
