"""Find rows of a table to delete, by a comparison of keys (`path`, `photo_id`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.spark.keys import key_digest, photo_keys


@dataclass
class UpstreamDifference:
    """Differences between a table and its upstream table.

    Attributes:
        extra_files: Files of batches that do not exist upstream.
        extra_rows: Paths of rows that do not exist upstream, by file; without those in
            `extra_files`.
        stale_batches: Batches that must be computed again.
    """

    extra_files: list[DataFile] = field(default_factory=list)
    extra_rows: dict[DataFile, pa.Array] = field(default_factory=dict)
    stale_batches: set[str] = field(default_factory=set)


def compare_with_upstream(log: DeltaLog, upstream: DeltaLog) -> UpstreamDifference:
    """Compare the keys of a table with those of its upstream table, batch by batch.

    A batch should have the keys of the upstream rows: all of them if the table has a
    column `error`, else those without an error. Only batches whose
    key digests differ are read. A batch is stale if it lacks keys, or if it is a batch of
    `moments`, which has no column `path`, and its digest differs.
    """
    difference = UpstreamDifference()
    only_valid = "error" not in log.columns
    for name, files in log.batches.items():
        upstream_files = upstream.batches.get(name)
        if upstream_files is None:
            difference.extra_files += files
            continue
        digest = digest_keys(log, files, only_valid=False)
        if digest == digest_keys(upstream, upstream_files, only_valid):
            continue
        if "path" not in log.columns:
            difference.stale_batches.add(name)
            continue
        expected = read_keys(upstream, upstream_files, only_valid)
        extra_rows = _find_extra_rows(log, files, expected)
        difference.extra_rows |= extra_rows
        rows = sum(file.rows for file in files) - sum(map(len, extra_rows.values()))
        if rows != len(expected):
            difference.stale_batches.add(name)
    return difference


def digest_keys(
    log: DeltaLog, files: Sequence[DataFile], only_valid: bool
) -> int | None:
    """Return the digest of the keys of a batch; None if it cannot be determined.

    Args:
        log: The table of the batch.
        files: Files of the batch.
        only_valid: Whether to exclude rows with an error.
    """
    named = named_digest(files, only_valid)
    if named is not None:
        return named
    if "path" not in log.columns:
        return None
    return int(key_digest(read_keys(log, files, only_valid)), 16)


def named_digest(files: Sequence[DataFile], only_valid: bool) -> int | None:
    """Return the digest of keys that the names of files state; None if one does not."""
    digests = [file.key_digest(only_valid) for file in files]
    known = [digest for digest in digests if digest is not None]
    if len(known) < len(digests):
        return None
    return sum(known) % 2**64  # as `key_digest` of the keys of all files


def batches_that_differ(log: DeltaLog, upstream: DeltaLog) -> list[str]:
    """Return the batches whose files state other keys than those of the upstream table.

    Nothing is read but the logs.
    """
    only_valid = "error" not in log.columns
    differing = log.batches.keys() ^ upstream.batches.keys()
    for name in log.batches.keys() & upstream.batches.keys():
        digest = named_digest(log.batches[name], False)
        expected = named_digest(upstream.batches[name], only_valid)
        if digest is not None and expected is not None and digest != expected:
            differing.add(name)
    return sorted(differing)


def read_keys(
    log: DeltaLog, files: Sequence[DataFile], only_valid: bool
) -> set[tuple[str, str]]:
    """Return the keys of the rows of files, as `digest_keys` without the digest."""
    if not only_valid or "error" not in log.columns:
        return {*photo_keys(log.read(files, ["path", "photo_id"]))}
    rows = log.read(files, ["path", "photo_id", "error"])
    return {*photo_keys(rows.filter(rows["error"].is_null()))}


def _find_extra_rows(
    log: DeltaLog, files: Sequence[DataFile], expected: set[tuple[str, str]]
) -> dict[DataFile, pa.Array]:
    """Return the paths of the rows whose key is not expected, by file."""
    found: dict[DataFile, pa.Array] = {}
    for file in files:
        keys = photo_keys(log.read([file], ["path", "photo_id"]))
        if extra := [key[0] for key in keys if key not in expected]:
            found[file] = pa.array(extra)
    return found


def find_replaced_rows(
    log: DeltaLog, new_paths: pa.ChunkedArray
) -> dict[DataFile, pa.Array]:
    """Return the paths of the rows whose `path` is also in new files.

    Args:
        log: The table.
        new_paths: Paths in files that are written but not committed.

    Returns:
        The paths, by committed file.
    """
    replaced: dict[DataFile, pa.Array] = {}
    for file in _candidate_files(log.files, new_paths):
        paths = log.read([file], ["path"])["path"]
        common = paths.filter(pc.is_in(paths, new_paths)).combine_chunks()
        if len(common):
            replaced[file] = common
    return replaced


def _candidate_files(
    files: Sequence[DataFile], paths: pa.ChunkedArray
) -> Iterator[DataFile]:
    """Yield the files that may contain some of the paths according to their statistics."""
    low, high = pc.min_max(paths).as_py().values()
    for file in files:
        first, last = file.first_path, file.last_path
        if first is None or last is None:
            yield file
        elif low is None or high < first or last < low:
            continue  # without a call of Arrow, because most files end here
        elif _has_any_between(paths, first, last):
            yield file


def _has_any_between(paths: pa.ChunkedArray, first: str, last: str) -> bool:
    inside = pc.and_(pc.greater_equal(paths, first), pc.less_equal(paths, last))
    return bool(pc.any(inside).as_py())
