"""Data files of a Delta table."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deltalake.transaction import AddAction, RemoveAction

from fruits_pipeline.io.durable import flush_file
from fruits_pipeline.io.files import is_local, resolve
from fruits_pipeline.schemas import CONTENT

DATA_FILE_NAME = re.compile(
    r"batch=\d+/part-\d+(?:-[0-9a-f]+)+-([0-9a-f]{16})-([0-9a-f]{16})\.parquet"
)
"""Relative path of a file that `spark.parquet.write_rows` writes, with digests of all keys
and of valid keys. Only such files are ever deleted."""

_SAFE_PATH = re.compile(r"batch=(\d+)/[\w.=-]+\.parquet", re.ASCII)
"""Relative path of a file that a log may list; other programs choose other names."""


@dataclass(frozen=True)
class DataFile:
    """A Parquet file that the log of a table lists.

    Attributes:
        path: Path relative to the table, `batch=000001/part-00000-....parquet`.
        size_bytes: Size of the file.
        batch: Name of its batch.
        rows: Number of rows.
        errors: Number of rows with an `error`.
        photos: Number of photos: `rows`, or the sum of `n` in the table `moments`.
        first_path: Minimum of the column `path`; None if unknown.
        last_path: Maximum of the column `path`; None if unknown.
        without_content: Number of rows whose content was removed; see `retention`.
        retries: Number of repeated requests for its photos, if this run wrote it.
        added_at: When its photos were ingested or computed, in milliseconds since 1970;
            None for the time of the commit that adds it.
    """

    path: str
    size_bytes: int
    batch: str
    rows: int
    errors: int
    photos: int
    first_path: str | None = None
    last_path: str | None = None
    without_content: int = 0
    retries: int = field(default=0, compare=False)
    added_at: int | None = field(default=None, compare=False)

    @classmethod
    def from_write_report(cls, batch: str, report: Mapping[str, Any]) -> DataFile:
        """Return the file that a worker reported in a row of `WRITE_REPORT`."""
        others = {"file", "writes", "reads"}
        statistics = {name: report[name] for name in report if name not in others}
        return cls(f"batch={batch}/{report['file']}", batch=batch, **statistics)

    @classmethod
    def from_add_action(cls, action: Mapping[str, Any]) -> DataFile:
        """Return a file from a row of `DeltaTable.get_add_actions(flatten=True)`.

        Raises:
            ValueError: The path is not one of a file in the folder of the batch. The
                Delta protocol also permits files anywhere else.
        """
        match = _SAFE_PATH.fullmatch(action["path"])
        if not match or match[1] != action["partition.batch"]:
            raise ValueError(
                f"path {action['path']!r} of a file of batch {action['partition.batch']!r}"
            )
        rows = action["num_records"]
        nulls = action.get("null_count.error")
        errors = 0 if nulls is None else rows - nulls
        contents = (action.get(f"null_count.{name}") for name in CONTENT.values())
        return cls(
            path=action["path"],
            size_bytes=action["size_bytes"],
            batch=action["partition.batch"],
            rows=rows,
            errors=errors,
            photos=rows if action.get("min.n") is None else action["min.n"],
            first_path=action.get("min.path"),
            last_path=action.get("max.path"),
            without_content=next((n - errors for n in contents if n is not None), 0),
            added_at=action["modification_time"],
        )

    def key_digest(self, only_valid: bool) -> int | None:
        """Return the digest of the keys; None if another program wrote the file.

        Args:
            only_valid: Whether to exclude rows with an error.
        """
        match = DATA_FILE_NAME.fullmatch(self.path)
        return int(match[2 if only_valid else 1], 16) if match else None

    def add_action(
        self, timestamp: int, columns: Sequence[str], data_change: bool = True
    ) -> AddAction:
        """Return the action that adds the file to a table.

        Args:
            timestamp: Time of the commit, in milliseconds since 1970.
            columns: Names of the columns of the table.
            data_change: Whether the commit changes rows, and not only their files.
        """
        contents = [name for name in CONTENT.values() if name in columns]
        return AddAction(
            self.path,
            self.size_bytes,
            partition_values={"batch": self.batch},
            modification_time=self.added_at or timestamp,
            data_change=data_change,
            stats=self._statistics(contents),
        )

    def remove_action(self, timestamp: int, data_change: bool = True) -> RemoveAction:
        """Return the action that removes the file from a table.

        Args:
            timestamp: Time of the commit, in milliseconds since 1970.
            data_change: Whether the commit changes rows, and not only their files.
        """
        return RemoveAction(
            self.path,
            data_change=data_change,
            deletion_timestamp=timestamp,
            size=self.size_bytes,
            partition_values={"batch": self.batch},
        )

    def _statistics(self, contents: Sequence[str]) -> str:
        """Return the statistics of the Delta protocol, as JSON.

        Args:
            contents: The column of encoded photos, if the table has one.
        """
        stats: dict[str, Any] = {"numRecords": self.rows}
        nulls = {"error": self.rows - self.errors} if self.errors else {}
        if self.without_content:
            nulls |= dict.fromkeys(contents, self.errors + self.without_content)
        if nulls:
            stats["nullCount"] = nulls
        if self.first_path is not None:
            stats["minValues"] = {"path": self.first_path}
            stats["maxValues"] = {"path": self.last_path}
        if self.photos != self.rows:  # a file of moments has one row
            stats["minValues"] = stats["maxValues"] = {"n": self.photos}
        return json.dumps(stats)


def list_sizes(location: str) -> dict[str, int]:
    """Return the size in bytes of each file below a folder, by relative path."""
    file_system, base = resolve(location)
    file_system.invalidate_cache()
    found = file_system.find(base, detail=True)
    return {
        path.removeprefix(base).lstrip("/"): info["size"]
        for path, info in found.items()
    }


def flush_commit(location: str, version: int) -> None:
    """Flush a commit of a local table, and its checkpoint, to the disk.

    delta-rs does not flush what it writes.

    Args:
        location: Path or URL of the table.
        version: Number of the commit.
    """
    if is_local(location):
        log = Path(resolve(location)[1], "_delta_log")
        # By name, because listing the log takes longer the more commits it has.
        names = (f"{version:020}.json", f"{version:020}.checkpoint.parquet")
        for file in (log / name for name in (*names, "_last_checkpoint")):
            if file.exists():
                flush_file(str(file))
