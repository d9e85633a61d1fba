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
from fruits_pipeline.imaging.isolation import Limits
from fruits_pipeline.run_id import set_run_id
from fruits_pipeline.spark import parquet

Rows = Iterator[pa.RecordBatch]

Step = Callable[[Rows], Rows]
"""Transforms a stream of record batches; must map an empty batch to an empty batch."""

Part = Callable[[], Rows]
"""Returns the rows of one task: at least one record batch, which may be empty."""

Rejection = Callable[[pa.RecordBatch, str], pa.RecordBatch]
"""Returns the output row of a photo that ends its process, given its row and the reason."""


@dataclass(frozen=True)
class PhotoStep:
    """A step that maps each photo by itself, so that photos can be isolated.

    Attributes:
        function: The step.
        reject: Called for a photo that ends its process, if photos are isolated.
        limit: Limits for each photo, if photos are isolated.
    """

    function: Step
    reject: Rejection
    limit: Limits

    def __call__(self, rows: Rows) -> Rows:
        """Apply the step without isolation."""
        return self.function(rows)


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


@dataclass(frozen=True)
class MappedPart:
    """A part that applies a step to the rows of another part."""

    part: Part
    step: Step

    def __call__(self) -> Rows:
        """Return the rows, lazily."""
        return self.step(self.part())


@dataclass(frozen=True)
class JoinedParts:
    """A part that yields the rows of other parts, in order."""

    parts: tuple[Part, ...]

    def __call__(self) -> Rows:
        """Return the rows, lazily."""
        return chain.from_iterable(part() for part in self.parts)


def table_part(table: pa.Table) -> Part:
    """Return a part that yields the rows of `table`."""
    return partial(_split, table)


def concat_parts(parts: Sequence[Part]) -> Part:
    """Return one part that yields the rows of all `parts`, in order."""
    return JoinedParts(tuple(parts))


def map_part(part: Part, step: Step) -> Part:
    """Return a part that applies `step` to the rows of `part`."""
    return MappedPart(part, step)


def run_parts(numbers: Rows, parts: Sequence[Part], run_id: str) -> Rows:
    """Yield the rows of the parts at the positions in the column `id` of `numbers`.

    Args:
        numbers: Record batches with the column `id`.
        parts: All parts.
        run_id: Id of the run, for the log of the worker.
    """
    set_run_id(run_id)
    for batch in numbers:
        for number in batch["id"].to_pylist():
            yield from parts[number]()


def _split(table: pa.Table) -> Rows:
    empty = pa.RecordBatch.from_pylist([], table.schema)
    yield from table.to_batches(parquet.BATCH_ROWS) or [empty]
