"""Combine batches of a table: the rows stay the same, but for their `batch`.

A combined batch has the name of its first batch. Its files are written before the commit
that replaces the old ones, and have the same key digests together, so no table has to be
compared or computed again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline.datasets.delta.comparison import named_digest
from fruits_pipeline.datasets.delta.errors import concurrent_run_error
from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.datasets.delta.written_batches import write_batch
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.arrow import merge_moments
from fruits_pipeline.spark.frames import from_parts
from fruits_pipeline.spark.jobs import write_concurrently
from fruits_pipeline.spark.parts import StoredPart, concat_parts, map_part

PART_ROWS, PART_BYTES = 1000, 16 * 1024 * 1024
"""Limits of a part of a combined batch, as the defaults of the stage ingest."""

Groups = Mapping[str, Sequence[str]]
"""Names of the batches to combine, at least two, by the name of the combined batch."""


def find_combined_upstream(log: DeltaLog, upstream: DeltaLog) -> Groups:
    """Return the batches that are combined upstream, and not yet in a table.

    A batch that does not exist upstream can be part of the next lower one there. It is if
    these batches have the keys of that batch together.

    Args:
        log: The table.
        upstream: Its upstream table.
    """
    only_valid = "error" not in log.columns
    targets = sorted(upstream.batches, key=int)
    numbers = [*map(int, targets)]
    found: dict[str, list[str]] = {}
    for name in sorted(log.batches.keys() - upstream.batches.keys(), key=int):
        if position := bisect_right(numbers, int(name)):
            target = targets[position - 1]
            found.setdefault(target, [target] * (target in log.batches)).append(name)
    return {
        target: names
        for target, names in found.items()
        if _digest(log, names) is not None
        and _digest(log, names) == named_digest(upstream.batches[target], only_valid)
    }


def combine_batches(writer: TableWriter, groups: Groups, schema: pa.Schema) -> None:
    """Combine batches, each group in one commit.

    The replaced files stay in storage for other readers; see `TableWriter.vacuum`. Groups
    with files of other programs are skipped.

    Args:
        writer: Writer of the table.
        groups: The batches.
        schema: Schema of the data files.

    Raises:
        FruitsError: Another run writes to the table, or a file is damaged.
    """
    log = writer.log
    if not log.batches.keys() >= {name for names in groups.values() for name in names}:
        raise concurrent_run_error(log.location)
    chosen = {
        t: names for t, names in groups.items() if _digest(log, names) is not None
    }
    if not chosen:
        return
    writer.claim()
    stored = pa.schema([field for field in schema if field.name in log.columns])
    batches = {
        target: partial(_combine, log.location, _files(log, names), stored)
        for target, names in chosen.items()
    }
    write = partial(write_batch, log.location, stored)
    for target, added in write_concurrently(write, batches):
        if named_digest(added, False) != _digest(writer.log, chosen[target]):
            raise FruitsError(
                f"Found other photos in the combined batch {target} of {log.location} "
                "than in its batches; expected the same. Nothing was replaced. Run "
                "`make check`, and report it as a bug if that finds nothing."
            )
        removed = _files(writer.log, chosen[target])
        age = max(file.added_at or 0 for file in removed) or None
        combined = [replace(file, added_at=age) for file in added]
        writer.commit(
            combined, removed, data_change=False, combined=",".join(chosen[target])
        )


def _digest(log: DeltaLog, names: Sequence[str]) -> int | None:
    return named_digest(_files(log, names), False)


def _files(log: DeltaLog, names: Sequence[str]) -> list[DataFile]:
    return [file for name in names for file in log.batches[name]]


def _combine(location: str, files: Sequence[DataFile], schema: pa.Schema) -> DataFrame:
    """Return the rows of a combined batch, lazily."""
    if "comoment" in schema.names:
        part = concat_parts([StoredPart(f"{location}/{f.path}") for f in files])
        return from_parts([map_part(part, merge_moments)], schema)
    parts = [
        concat_parts([StoredPart(f"{location}/{f.path}", columns=schema) for f in part])
        for part in _split(files)
    ]
    return from_parts(parts, schema)


def _split(files: Sequence[DataFile]) -> Iterator[list[DataFile]]:
    """Yield the files of each part, which a worker holds in memory."""
    part: list[DataFile] = []
    for file in files:
        rows = sum(other.rows for other in part) + file.rows
        size = sum(other.size_bytes for other in part) + file.size_bytes
        if part and (rows > PART_ROWS or size > PART_BYTES):
            yield part
            part = []
        part.append(file)
    yield part
