"""Which rows of a table are no longer wanted, and its files without them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.datasets.delta.files import StoredFile, stored_file
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.spark import arrow, parts
from fruits_pipeline.spark.parts import key_digest


@dataclass
class Changes:
    """What one commit changes in a table.

    Attributes:
        added: Files that replace removed ones.
        removed: Files that the log lists.
        stale: Batches that must be computed again.
    """

    added: list[StoredFile] = field(default_factory=list)
    removed: list[StoredFile] = field(default_factory=list)
    stale: set[str] = field(default_factory=set)


def follow(log: DeltaLog, upstream: DeltaLog, schema: pa.Schema) -> Changes:
    """Compare a table with its upstream table, batch by batch.

    The digests in the file names tell which batches have other keys than the rows
    without an error upstream; only those are read. Rows whose (`path`, `photo_id`) is not
    upstream are deleted. A batch that then lacks rows is stale, as is one of moments,
    which have no rows of photos.

    Args:
        log: The table.
        upstream: Its upstream table.
        schema: Schema of the table.
    """
    changes = Changes()
    for name, files in log.batches.items():
        above = upstream.batches.get(name)
        if above is None:
            changes.removed += files
            continue
        expected = _digest(upstream, above, [file.valid_keys for file in above])
        if _digest(log, files, [file.keys for file in files]) == expected:
            continue
        if "path" not in schema.names:
            changes.stale.add(name)
            continue
        known = _keys(upstream, above)
        if _delete_unknown(log, files, schema, known, changes) != len(known):
            changes.stale.add(name)
    return changes


def _digest(
    log: DeltaLog, files: Sequence[StoredFile], digests: Sequence[int | None]
) -> int | None:
    """Return the digest of the keys of a batch; None if it is not known."""
    if None not in digests:
        return sum(digest or 0 for digest in digests) % 2**64
    if "path" not in log.columns:
        return None
    return int(key_digest(_keys(log, files)), 16)


def _delete_unknown(
    log: DeltaLog,
    files: Sequence[StoredFile],
    schema: pa.Schema,
    known: set[tuple[str, str]],
    changes: Changes,
) -> int:
    """Delete rows whose key is not known; return how many rows are left."""
    kept = 0
    for file in files:
        keys = log.read([file], ["path", "photo_id"]).to_pylist()
        unknown = [k["path"] for k in keys if (k["path"], k["photo_id"]) not in known]
        kept += file.rows - len(unknown)
        if unknown:
            changes.removed.append(file)
            changes.added.append(_without(log, file, schema, pa.array(unknown)))
    return kept


def _keys(log: DeltaLog, files: Sequence[StoredFile]) -> set[tuple[str, str]]:
    """Return (`path`, `photo_id`) of the rows without an error."""
    columns = ["path", "photo_id"]
    if "error" in log.columns:
        columns.append("error")
    return {
        (row["path"], row["photo_id"])
        for row in log.read(files, columns).to_pylist()
        if row.get("error") is None
    }


def replace_rows(
    log: DeltaLog, new: Sequence[StoredFile], schema: pa.Schema
) -> Changes:
    """Delete the rows whose `path` is in new files, which are not committed yet."""
    changes = Changes()
    if not log.files or not any(file.rows for file in new):
        return changes
    paths = log.read([file for file in new if file.rows], ["path"])["path"]
    for file in _overlapping(log, paths):
        old = log.read([file], ["path"])["path"]
        replaced = old.filter(pc.is_in(old, paths)).combine_chunks()
        if len(replaced):
            changes.removed.append(file)
            changes.added.append(_without(log, file, schema, replaced))
    return changes


def _overlapping(log: DeltaLog, paths: pa.ChunkedArray) -> Iterator[StoredFile]:
    """Yield the files that may have one of some paths, by their statistics."""
    for file in log.files:
        if file.first_path is None or file.last_path is None:
            yield file
        else:
            first, last = pa.scalar(file.first_path), pa.scalar(file.last_path)
            inside = pc.and_(pc.greater_equal(paths, first), pc.less_equal(paths, last))
            if pc.any(inside).as_py():
                yield file


def _without(
    log: DeltaLog, file: StoredFile, schema: pa.Schema, paths: pa.Array
) -> StoredFile:
    """Write a file again without some rows."""
    log.claim()
    kept = parts.then(
        parts.StoredPart(f"{log.place}/{file.path}"),
        partial(arrow.without, paths=paths),
    )
    number = int(re.findall(r"part-(\d+)", file.path)[-1])
    folder = f"{log.place}/batch={file.batch}"
    (report,) = parts.written(kept, folder, schema, number)()
    return stored_file(file.batch, report.to_pylist()[0])
