"""Spark DataFrames whose rows Python workers read, transform and write with Arrow.

The functions of this module attach parts to a DataFrame: the input of each task, and the
steps to apply. `write` then reads, transforms and writes each part in one Python worker,
and only the write reports pass through the JVM. All other operations (`where`, `join`,
`show`) run in Spark as usual, and their result has no parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import pyarrow as pa
from pyspark import TaskContext
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema

from fruits_pipeline import schemas
from fruits_pipeline.io.request_counts import SENT, Requests
from fruits_pipeline.run_id import run_id
from fruits_pipeline.spark.active import spark_session
from fruits_pipeline.spark.isolation import isolate
from fruits_pipeline.spark.parquet import write_rows
from fruits_pipeline.spark.parts import (
    Part,
    Rows,
    Step,
    StoredPart,
    concat_parts,
    map_part,
    run_parts,
    table_part,
)

_PARTS: WeakKeyDictionary[DataFrame, Sequence[Part]] = WeakKeyDictionary()


def attach_parts(frame: DataFrame, parts: Sequence[Part]) -> DataFrame:
    """Attach parts to a DataFrame that has the same rows, and return the DataFrame."""
    _PARTS[frame] = parts
    return frame


def parts_of(rows: DataFrame) -> Sequence[Part] | None:
    """Return the parts of a DataFrame, one per task; None if it has none attached."""
    return _PARTS.get(rows)


def from_parts(parts: Sequence[Part], schema: pa.Schema) -> DataFrame:
    """Return the rows of parts, lazily; each part is one Spark task."""
    spark = spark_session()
    numbers = spark.range(0, len(parts), 1, max(1, len(parts)))
    step = partial(run_parts, parts=tuple(parts), run_id=run_id())
    return attach_parts(numbers.mapInArrow(step, from_arrow_schema(schema)), parts)


def from_tables(tables: Sequence[pa.Table], schema: pa.Schema) -> DataFrame:
    """Return the rows of Arrow tables, lazily; each table is one Spark task."""
    return from_parts([table_part(table) for table in tables], schema)


def from_files(paths: Sequence[str], schema: pa.Schema) -> DataFrame:
    """Return the rows of Parquet files, lazily; each file is one Spark task."""
    return from_parts([StoredPart(path, columns=schema) for path in paths], schema)


def map_arrow(rows: DataFrame, step: Step, schema: pa.Schema) -> DataFrame:
    """Apply a function of record batches, such as those of `spark.arrow`, lazily.

    Args:
        rows: Rows with the columns that `step` needs.
        step: The function, with its other arguments bound by `partial`.
        schema: Schema of the batches that `step` yields.
    """
    mapped = rows.mapInArrow(step, from_arrow_schema(schema))
    if (parts := parts_of(rows)) is not None:
        attach_parts(mapped, [map_part(part, step) for part in parts])
    return mapped


def in_one_task(rows: DataFrame) -> DataFrame:
    """Return the same rows in one task, for a step that must process all of them."""
    single = rows.coalesce(1)
    if (parts := parts_of(rows)) is not None:
        attach_parts(single, [concat_parts(parts)])
    return single


def task_count(rows: DataFrame) -> int:
    """Return the number of tasks that compute the rows."""
    parts = parts_of(rows)
    return rows.rdd.getNumPartitions() if parts is None else len(parts)


def write(
    rows: DataFrame, folder: str, schema: pa.Schema, isolated: bool = False
) -> list[dict[str, Any]]:
    """Write a DataFrame to new Parquet files in the folder of a batch, one per task.

    Args:
        rows: The rows.
        folder: Path or URL of the batch.
        schema: Schema of the files.
        isolated: Whether to process each photo in a child process, which takes longer.

    Returns:
        The `WRITE_REPORT` row of each file.
    """
    parts = parts_of(rows)
    if parts is None:
        step = partial(_write_partition, folder=folder, schema=schema)
        reports = rows.mapInArrow(step, from_arrow_schema(schemas.WRITE_REPORT))
    else:
        parts = [isolate(part) for part in parts] if isolated else parts
        step = partial(write_rows, folder=folder, schema=schema)
        writes = [map_part(p, partial(step, number=i)) for i, p in enumerate(parts)]
        reports = from_parts(writes, schemas.WRITE_REPORT)
    found = [row.asDict() for row in reports.collect()]
    for report in found:
        SENT.add(Requests(report["writes"], report["reads"]))
    if not found:  # Spark optimises a plan without rows to one without tasks
        (empty,) = write_rows(iter(()), folder, schema)
        found = empty.to_pylist()
    return found


def computed_by_workers(rows: DataFrame, schema: pa.Schema) -> DataFrame:
    """Return the same rows, whose parts are read without Spark's own Parquet reader.

    Args:
        rows: The rows.
        schema: Schema of the rows.
    """
    parts = parts_of(rows)
    return rows if parts is None else from_parts(parts, schema)


def record_batches(rows: DataFrame) -> Iterator[pa.RecordBatch]:
    """Yield the rows on the driver. Parts are read without the JVM."""
    parts = parts_of(rows)
    if parts is None:
        yield from rows.toArrow().to_batches()
    else:
        for part in parts:
            yield from part()


def _write_partition(rows: Rows, folder: str, schema: pa.Schema) -> Rows:
    context = TaskContext.get()
    number = context.partitionId() if context else 0
    yield from write_rows(rows, folder, schema, number)
