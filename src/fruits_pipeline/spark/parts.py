"""Parts: the record batches of one Spark task, read, transformed and written by a worker.

A part is a function without arguments, so parts are combined by wrapping them. This module
does not import Spark, which keeps workers small. A part is read, transformed and written
in one Python process, because passing the rows through the JVM would take longer than the
computation; see docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import pyarrow as pa

from fruits_pipeline import schemas
from fruits_pipeline.spark import parquet

Rows = Iterator[pa.RecordBatch]

Step = Callable[[Rows], Rows]
"""Transforms a stream of record batches; must map an empty batch to an empty batch."""

Part = Callable[[], Rows]
"""Returns the rows of one task: at least one record batch, which may be empty."""


@dataclass(frozen=True)
class StoredPart:
    """A part that reads a Parquet file.

    Attributes:
        path: Path or URL of the file.
        batch: Name of its batch, added as the column `batch`; None adds no column.
        columns: Expected columns; those that the file lacks are null.
    """

    path: str
    batch: str | None = None
    columns: pa.Schema | None = None

    def __call__(self) -> Rows:
        """Read the rows with one request.

        Raises:
            FruitsError: The file is missing or damaged.
        """
        for rows in parquet.read_rows(self.path, self.columns):
            if self.batch is None:
                yield rows
            else:
                name = pa.array([self.batch] * len(rows), pa.string())
                schema = pa.schema([*rows.schema, schemas.BATCH])
                yield pa.record_batch([*rows.columns, name], schema=schema)


def table_part(table: pa.Table) -> Part:
    """Return a part that yields the rows of `table`."""
    return partial(_split, table)


def concat_parts(parts: Sequence[Part]) -> Part:
    """Return one part that yields the rows of all `parts`, in order."""
    return partial(_concat, tuple(parts))


def map_part(part: Part, step: Step) -> Part:
    """Return a part that applies `step` to the rows of `part`."""
    return partial(_apply, part, step)


def run_parts(numbers: Rows, parts: Sequence[Part]) -> Rows:
    """Yield the rows of the parts at the positions in the column `id` of `numbers`."""
    for batch in numbers:
        for number in batch["id"].to_pylist():
            yield from parts[number]()


# Not nested in the functions above: parts are pickled when they are sent to workers.


def _split(table: pa.Table) -> Rows:
    empty = pa.RecordBatch.from_pylist([], table.schema)
    yield from table.to_batches(parquet.BATCH_ROWS) or [empty]


def _concat(parts: Sequence[Part]) -> Rows:
    return chain.from_iterable(part() for part in parts)


def _apply(part: Part, step: Step) -> Rows:
    return step(part())
