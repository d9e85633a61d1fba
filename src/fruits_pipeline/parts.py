"""Parts: what one Spark task works on, from reading its rows to writing what they became.

A part reads, maps and writes Arrow batches in one Python process. Spark only says who
works on which: rows that pass through Java on the way cost more than the work on them.
Nothing here knows Spark, which keeps a worker small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.files import read_file, write_whole

Rows = Iterator[pa.RecordBatch]

Step = Callable[[Rows], Rows]
"""Maps rows to rows, an Arrow batch at a time; of an empty one it makes an empty one."""

Part = Callable[[], Rows]
"""Gives its rows when it is called: at least one Arrow batch, be it empty."""

ROWS = 256
"""Rows in an Arrow batch, and so photos that a worker has decoded at a time, at most."""

MARKS = [pa.field("batch", pa.string()), pa.field("part", pa.int32())]
"""Where a row is: columns that are not stored."""

WRITTEN = pa.schema([pa.field("photos", pa.int64())])
"""What is told of a part that was written."""

# Of what Parquet offers, LZ4 costs a photo the least (8 us for all tables) for 8 % fewer
# bytes than its JPEG; zstd at level 1 costs twice as much for 12 %. Dictionaries pay
# for what repeats.
ENCODING = {"compression": "lz4", "use_dictionary": ["label", "split", "series"]}


def held(table: pa.Table) -> Part:
    """Return a part that holds its rows."""
    return partial(_batches_of, table)


def stored(place: str) -> Part:
    """Return a part that reads a Parquet file, by one request.

    Args:
        place: Path or URL of the file.
    """
    return partial(_read, place)


def joined(parts: Sequence[Part]) -> Part:
    """Return a part with the rows of all parts, one after the other."""
    return partial(_chain, tuple(parts))


def then(part: Part, step: Step) -> Part:
    """Return a part with the rows that `step` makes of those of `part`."""
    return partial(_apply, part, step)


def marked(part: Part, batch: str, number: int) -> Part:
    """Return a part whose rows say of which batch they are, and which part of it."""
    return partial(_mark, part, batch, number)


def written(part: Part, place: str) -> Part:
    """Return a part that writes rows to a Parquet file, and gives a `WRITTEN` row.

    Args:
        part: Whose rows are written; they are held in memory once.
        place: Path or URL of the file, which is there whole or not at all.
    """
    return partial(_write, part, place)


def run(numbers: Rows, parts: Sequence[Part]) -> Rows:
    """Give the rows of those of `parts` whose numbers come in the column `id`."""
    for batch in numbers:
        for number in batch["id"].to_pylist():
            yield from parts[number]()


def _batches_of(table: pa.Table) -> Rows:
    empty = pa.RecordBatch.from_pylist([], table.schema)
    yield from table.to_batches(ROWS) or [empty]


def _read(place: str) -> Rows:
    try:
        file = pq.ParquetFile(pa.BufferReader(read_file(place)))
        if not file.metadata.num_rows:
            yield pa.RecordBatch.from_pylist([], file.schema_arrow)
        yield from file.iter_batches(ROWS, use_threads=False)
    except pa.ArrowInvalid as exc:
        raise FruitsError(
            f"Found a damaged file, {place} ({exc}); expected Parquet. Delete the "
            "folder that it is in, and run again: the batch is made anew."
        ) from exc


def _chain(parts: Sequence[Part]) -> Rows:
    return chain.from_iterable(part() for part in parts)


def _apply(part: Part, step: Step) -> Rows:
    return step(part())


def _mark(part: Part, batch: str, number: int) -> Rows:
    for rows in part():
        marks = ([mark] * len(rows) for mark in (batch, number))
        columns = map(pa.array, marks, [field.type for field in MARKS])
        schema = pa.schema([*rows.schema, *MARKS])
        yield pa.record_batch([*rows.columns, *columns], schema=schema)


def _write(part: Part, place: str) -> Rows:
    table = pa.Table.from_batches(part())
    content = pa.BufferOutputStream()
    pq.write_table(table, content, **ENCODING)
    write_whole(place, content.getvalue().to_pybytes())
    # A row of moments stands for the n photos it was measured on.
    photos = pc.sum(table["n"]).as_py() if "n" in table.column_names else len(table)
    yield pa.record_batch([pa.array([photos])], schema=WRITTEN)
