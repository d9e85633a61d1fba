"""Copy rows of photos that a table contains already. This module does not import Spark."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline import schemas
from fruits_pipeline.spark.parquet import read_rows
from fruits_pipeline.spark.parts import JoinedParts, MappedPart, Part, Rows, Step
from fruits_pipeline.spark.write_reports import has_no_content

_KEY = pa.schema(schemas.KEY)


def copy_known_rows(part: Part, files: Sequence[str], schema: pa.Schema) -> Part:
    """Return a part with the same rows, which computes only those of unknown photos.

    A photo is known if its `photo_id` is in one of the files, under any path, in a row
    whose content was not removed.

    Args:
        part: Computes rows of a table from rows of the upstream table, photo by photo.
        files: Paths or URLs of files of the table.
        schema: Schema of the table.
    """
    if not isinstance(part, MappedPart):
        return part
    copy = MappedPart(_source(part), partial(copy_known, files=files, schema=schema))
    return JoinedParts((copy, _filter_source(part, partial(drop_known, files=files))))


def _source(part: Part) -> Part:
    """Return the part that the steps of a part are applied to."""
    return _source(part.part) if isinstance(part, MappedPart) else part


def _filter_source(part: Part, step: Step) -> Part:
    """Return the same part, with a step before its other steps."""
    if isinstance(part, MappedPart):
        return MappedPart(_filter_source(part.part, step), part.step)
    return MappedPart(part, step)


def copy_known(rows: Rows, files: Sequence[str], schema: pa.Schema) -> Rows:
    """Return the stored rows of known photos, with the key columns of the new rows.

    Args:
        rows: Rows of the upstream table.
        files: Files of the table.
        schema: Schema of the table.
    """
    new = pa.Table.from_batches([b.select(_KEY.names) for b in rows])
    stored = _read_known(files, new["photo_id"], schema)
    positions = pc.index_in(new["photo_id"], stored["photo_id"], skip_nulls=True)
    known, copied = new.filter(positions.is_valid()), stored.take(positions.drop_null())
    columns = [known[n] if n in known.column_names else copied[n] for n in schema.names]
    table = pa.table(columns, schema=schema).combine_chunks()
    empty = pa.RecordBatch.from_pylist([], schema)
    yield from table.to_batches() or [empty]


def drop_known(rows: Rows, files: Sequence[str]) -> Rows:
    """Return the rows of unknown photos.

    Args:
        rows: Rows of the upstream table.
        files: Files of the table that is computed from it.
    """
    batches = [*rows]
    new = pa.Table.from_batches([batch.select(["photo_id"]) for batch in batches])
    known = _read_known(files, new["photo_id"])["photo_id"].combine_chunks()
    for batch in batches:
        is_known = pc.is_in(batch["photo_id"], known, skip_nulls=True)
        yield batch.filter(pc.invert(is_known))


def _read_known(
    files: Sequence[str], photo_ids: pa.ChunkedArray, schema: pa.Schema | None = None
) -> pa.Table:
    """Read the stored rows of photos.

    Args:
        files: Files of a table.
        photo_ids: Ids of the photos.
        schema: Schema of the table; None to return the key columns only.
    """
    columns = schema or _KEY
    found = [columns.empty_table()]
    for file in files:
        for batch in read_rows(file, schema):
            is_known = pc.is_in(batch["photo_id"], photo_ids, skip_nulls=True)
            known = batch.filter(pc.and_not(is_known, has_no_content(batch)))
            found.append(pa.Table.from_batches([known.select(columns.names)]))
    return pa.concat_tables(found)
