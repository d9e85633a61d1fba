"""Erase rows from a Delta table and from its old versions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.datasets.delta.comparison import compare_with_upstream
from fruits_pipeline.datasets.delta.errors import translate_delta_errors
from fruits_pipeline.datasets.delta.files import DataFile, flush_commit, list_sizes
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.moments import TotalsFolder
from fruits_pipeline.datasets.delta.requests import open_delta_table, repeat
from fruits_pipeline.datasets.delta.saving import rewrite_files
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.io.files import resolve
from fruits_pipeline.spark.parquet import read_rows

_LOG_FILE = re.compile(r"_delta_log/(\d{20})\.(?!json#)[\w.-]+")
"""File of a version: a commit, checkpoint, checksum, or compacted commits."""

_TEMPORARY_LOG_FILE = re.compile(
    r"_delta_log/(_commit_[\w-]+\.json\.tmp|[\w.]+(json|parquet|checkpoint)#\d+"
    r"|\.\d{20}\.[\w.-]+\.(tmp|crc))"
)
"""File that a killed process has left in the log: of delta-rs, or of Spark."""


@dataclass(frozen=True)
class Targets:
    """The rows to erase.

    Attributes:
        paths: Values of `path`.
        ids: Values of `photo_id`.
    """

    paths: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    def matches(self, rows: pa.Table | pa.RecordBatch) -> pa.Array:
        """Return for each row, with `path` and `photo_id`, whether to erase it."""
        by_path = pc.is_in(rows["path"], pa.array(self.paths, pa.string()))
        by_id = pc.is_in(rows["photo_id"], pa.array(self.ids, pa.string()))
        return pc.or_(by_path, by_id)


def find_rows(log: DeltaLog, targets: Targets) -> dict[DataFile, pa.Array]:
    """Return the paths of the rows to erase, by file.

    Raises:
        FruitsError: A file is missing or damaged.
    """
    found: dict[DataFile, pa.Array] = {}
    for file in log.files:
        keys = log.read([file], ["path", "photo_id"])
        erased = keys.filter(targets.matches(keys))
        if len(erased):
            found[file] = erased["path"].combine_chunks()
    return found


def read_found(
    log: DeltaLog, found: Mapping[DataFile, pa.Array], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Yield the rows that `find_rows` has found, with all columns."""
    for file, paths in found.items():
        for rows in read_rows(f"{log.location}/{file.path}", schema):
            yield rows.filter(pc.is_in(rows["path"], paths))


def erase_rows(
    log: DeltaLog, found: Mapping[DataFile, pa.Array], schema: pa.Schema
) -> None:
    """Delete the rows that `find_rows` has found, in one commit.

    Raises:
        FruitsError: Another run writes to the table, or a file is damaged.
    """
    if not found:
        return
    stored = pa.schema([field for field in schema if field.name in log.columns])
    writer = TableWriter(log)
    writer.claim()
    writer.commit(rewrite_files(log.location, found.items(), stored), found)


def erase_moments(log: DeltaLog, features: DeltaLog | None) -> int:
    """Delete the moments of batches whose features have changed, and all totals.

    Args:
        log: The table `moments`.
        features: The table `features`, if it exists.

    Returns:
        Number of deleted rows.
    """
    TotalsFolder.of(log.location).keep_only(())
    removed = log.files
    if features:
        difference = compare_with_upstream(log, features)
        stale = [log.batches[name] for name in difference.stale_batches]
        removed = [*difference.extra_files, *(f for files in stale for f in files)]
    if removed:
        writer = TableWriter(log)
        writer.claim()
        writer.commit(removed=removed)
    return sum(file.rows for file in removed)


def purge(location: str) -> int:
    """Delete the old versions of a table: their data files, and their log.

    The statistics in the log contain paths of photos. A checkpoint replaces the log of
    the old versions. It keeps the properties and the app transactions.

    Returns:
        Number of old versions.

    Raises:
        FruitsError: Another run has claimed the table.
    """
    with translate_delta_errors(location):
        table = open_delta_table(location)
    writer = TableWriter(DeltaLog(location, table))
    writer.claim()
    writer.vacuum(keeps_removed=False)
    with translate_delta_errors(location):
        repeat(location, open_delta_table(location).create_checkpoint)
    flush_commit(location, writer.log.version)
    return _delete_old_log(location, writer.log.version)


def _delete_old_log(location: str, version: int) -> int:
    """Delete the log of versions before a checkpoint; return the number of commits."""
    commits, removed = 0, []
    for path in list_sizes(location):
        match = _LOG_FILE.fullmatch(path)
        if match and int(match[1]) < version:
            commits += path == f"_delta_log/{match[1]}.json"
            removed.append(path)
        elif _TEMPORARY_LOG_FILE.fullmatch(path):
            removed.append(path)
    delete_files(location, removed)
    return commits


def delete_files(location: str, paths: Iterable[str]) -> None:
    """Delete files by path relative to a folder."""
    file_system, base = resolve(location)
    for path in paths:  # `rm` would interpret paths as glob patterns
        file_system.rm_file(f"{base}/{path}")
    file_system.invalidate_cache()
