"""The steps of saving batches: delete rows, write files, commit them.

Rows are deleted by copy-on-write: their file is written again without them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.datasets.delta.comparison import (
    UpstreamDifference,
    compare_with_upstream,
    find_replaced_rows,
)
from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.parquet import read_rows, write_rows
from fruits_pipeline.spark.parts import Rows

logger = logging.getLogger(__name__)

MAX_UNREADABLE = 10_000
"""Number of photos after which a run stops if none of them could be read."""


def delete_extra_rows(
    writer: TableWriter, upstream: DeltaLog, schema: pa.Schema
) -> UpstreamDifference:
    """Delete rows that do not exist upstream, in one commit.

    Their files stay in storage until the writer finishes.

    Returns:
        The difference between both tables before.
    """
    difference = compare_with_upstream(writer.log, upstream)
    removed = [*difference.extra_files, *difference.extra_rows]
    if removed:
        writer.claim()
        rows = difference.extra_rows.items()
        added = rewrite_files(writer.log.location, rows, schema)
        writer.commit(added, removed, upstream=upstream.version_id)
    return difference


def commit_photos(
    writer: TableWriter, files: Sequence[DataFile], schema: pa.Schema
) -> pa.ChunkedArray | None:
    """Add a batch of `photos`, and delete older rows of the same `path`, in one commit.

    Args:
        writer: Writer of the table.
        files: New files of the batch.
        schema: Schema of the data files.

    Returns:
        The new `photo_id` values; None if the table was empty.
    """
    if not writer.log.files:
        writer.commit(files)
        return None
    new = writer.log.read([file for file in files if file.rows], ["path", "photo_id"])
    deletions = find_replaced_rows(writer.log, new["path"])
    rewritten = rewrite_files(writer.log.location, deletions.items(), schema)
    writer.commit([*files, *rewritten], deletions)
    return new["photo_id"]


def rewrite_files(
    location: str, deletions: Iterable[tuple[DataFile, pa.Array]], schema: pa.Schema
) -> list[DataFile]:
    """Write files again without some rows; return the new files, which are not committed.

    A file without any remaining row is not written.

    Args:
        location: Path or URL of the table.
        deletions: Values of `path` of the rows to delete, by file.
        schema: Schema of the data files.
    """
    rewritten = []
    for file, paths in deletions:
        if len(paths) == file.rows:
            continue
        kept = drop_paths(read_rows(f"{location}/{file.path}", schema), paths)
        number = int(re.findall(r"part-(\d+)", file.path)[-1])
        folder = f"{location}/batch={file.batch}"
        (report,) = write_rows(kept, folder, schema, number)
        written = DataFile.from_write_report(file.batch, report.to_pylist()[0])
        rewritten.append(replace(written, added_at=file.added_at))
    return rewritten


def drop_paths(rows: Rows, paths: pa.Array) -> Rows:
    """Drop the rows whose `path` is in `paths`."""
    for batch in rows:
        yield batch.filter(pc.invert(pc.is_in(batch["path"], paths)))


def select_readable(
    writer: TableWriter, results: Iterable[tuple[str, list[DataFile]]]
) -> Iterator[tuple[str, list[DataFile]]]:
    """Yield the new batches of `photos` to commit.

    A batch is skipped if its photos could not be read for the reasons that the table has
    already. Batches without any photo that could be read wait for a batch with one.

    Args:
        writer: Writer of the table.
        results: Name and files of each new batch.

    Raises:
        FruitsError: No photo in the table and in the new batches could be read.
    """
    waiting: list[tuple[str, list[DataFile]]] = []
    is_readable = _has_readable(writer.log.files)
    for name, files in results:
        if not any(file.rows for file in files) or _repeats_errors(writer.log, files):
            logger.warning("photos: the photos of batch %s can still not be read", name)
            continue
        waiting.append((name, files))
        is_readable = is_readable or _has_readable(files)
        if is_readable:
            yield from waiting
            waiting.clear()
        elif sum(file.rows for _, found in waiting for file in found) > MAX_UNREADABLE:
            break
    if waiting:
        raise _unreadable_error(writer.log, [f for _, files in waiting for f in files])


def _has_readable(files: Iterable[DataFile]) -> bool:
    return any(file.rows > file.errors for file in files)


def _repeats_errors(log: DeltaLog, files: Sequence[DataFile]) -> bool:
    """Return whether all rows of new files have errors that the table has already."""
    stored = [file for file in log.files if file.errors]
    if not stored or _has_readable(files):
        return False
    columns = ["path", "error"]
    known = {tuple(row.values()) for row in log.read(stored, columns).to_pylist()}
    return known >= {
        tuple(row.values()) for row in log.read(files, columns).to_pylist()
    }


def _unreadable_error(log: DeltaLog, files: Sequence[DataFile]) -> FruitsError:
    first = log.read(files[:1], ["path", "error"]).slice(0, 1).to_pylist()[0]
    return FruitsError(
        f"Found no photo that can be read among {sum(f.rows for f in files)}, such as "
        f"{first['path']}: {first['error']}. Expected permission to read the photos below "
        "`photos`."
    )
