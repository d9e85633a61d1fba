"""Spark DataFrames whose rows Python workers read, transform and write with Arrow.

A DataFrame made here remembers its parts: what each task reads, and which steps follow.
`write` runs a part's read, its steps and its write in one Python worker, and only the
write reports pass through the JVM. Any other operation (`where`, `join`, `show`) is
Spark's own, and works as on every DataFrame.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial, wraps
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import pyarrow as pa
from pyspark import Broadcast, TaskContext
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from fruits_pipeline import schemas
from fruits_pipeline.spark import parts
from fruits_pipeline.spark.parts import Part, Rows, Step, StoredPart

if TYPE_CHECKING:
    import pandas as pd

Batches = Mapping[str, Callable[[], DataFrame]]
"""Batches of a table by name, each a function that returns its rows, lazily."""

_PARTS: WeakKeyDictionary[DataFrame, Sequence[Part]] = WeakKeyDictionary()

_GLOB = re.compile(r"[\\*?\[\]{}]")
"""What Spark takes for a pattern in a path, unless a backslash precedes it."""


def from_parts(found: Sequence[Part], schema: pa.Schema) -> DataFrame:
    """Return the rows of parts, lazily; each part is one Spark task."""
    spark = SparkSession.builder.getOrCreate()
    numbers = spark.range(0, len(found), 1, max(1, len(found)))
    run = partial(parts.run, parts=tuple(found))
    frame = numbers.mapInArrow(run, from_arrow_schema(schema))
    _PARTS[frame] = found
    return frame


def from_tables(tables: Sequence[pa.Table], schema: pa.Schema) -> DataFrame:
    """Return the rows of Arrow tables, lazily; each table is one Spark task."""
    return from_parts([parts.in_memory(table) for table in tables], schema)


def from_files(places: Sequence[str], schema: pa.Schema) -> DataFrame:
    """Return the rows of Parquet files, lazily; each file is one Spark task."""
    return from_parts([StoredPart(place) for place in places], schema)


def from_table(folder: str, files: Sequence[str], schema: pa.Schema) -> DataFrame:
    """Return the rows of a whole table, read by Spark itself.

    Args:
        folder: Path or URL of the table.
        files: Paths of its files relative to `folder`: `batch=000001/part-...`.
        schema: Schema of the files; the column `batch` is added.
    """
    spark = SparkSession.builder.getOrCreate()
    full = from_arrow_schema(pa.schema([*schema, schemas.BATCH]))
    if not files:
        return spark.createDataFrame([], full)
    # Spark lists folders with fewer requests than files, and takes only those named.
    names = ",".join(file.rpartition("/")[2] for file in files)
    base = spark_path(folder)
    reader = spark.read.schema(full).option("basePath", base)
    escaped = _GLOB.sub(r"\\\g<0>", base)
    folders = sorted({file.rpartition("/")[0] for file in files})
    frame = reader.option("pathGlobFilter", f"{{{names}}}").parquet(
        *(f"{escaped}/{name}" for name in folders)
    )
    _PARTS[frame] = [
        StoredPart(f"{folder}/{file}", batch=_batch_of(file)) for file in files
    ]
    return frame


def _batch_of(file: str) -> str:
    return file.partition("/")[0].removeprefix("batch=")


def _files(rows: DataFrame) -> list[StoredPart]:
    """Return the files of a whole table; none if the rows are anything else."""
    found = [p for p in _PARTS.get(rows, ()) if isinstance(p, StoredPart) and p.batch]
    return found if len(found) == len(_PARTS.get(rows, ())) else []


def batch_names(rows: DataFrame) -> list[str]:
    """Return the sorted names in the column `batch`; the log tells those of a table."""
    if files := _files(rows):
        return sorted({str(file.batch) for file in files})
    names = rows.select("batch").distinct().collect()
    return sorted(row.batch for row in names)


def in_batches(rows: DataFrame, names: Collection[str]) -> DataFrame:
    """Return the rows of some batches; of a table, only their files will be read."""
    chosen = rows.where(F.col("batch").isin([*names]))
    if files := _files(rows):
        _PARTS[chosen] = [file for file in files if file.batch in names]
    return chosen


def spark_path(place: str) -> str:
    """Return a path as Spark spells it: Hadoop's S3 client is called s3a."""
    return place.replace("s3://", "s3a://", 1) if place.startswith("s3://") else place


def map_arrow(rows: DataFrame, step: Step, schema: pa.Schema) -> DataFrame:
    """Apply a function of `spark.arrow` to the rows of a DataFrame, lazily.

    Args:
        rows: Rows with the columns that `step` needs.
        step: The function, with everything but the rows bound.
        schema: Schema of what `step` yields.
    """
    mapped = rows.mapInArrow(step, from_arrow_schema(schema))
    if rows in _PARTS:
        _PARTS[mapped] = [parts.then(part, step) for part in _PARTS[rows]]
    return mapped


def in_one_task(rows: DataFrame) -> DataFrame:
    """Return the same rows in one task, for a step that must see all of them."""
    single = rows.coalesce(1)
    if rows in _PARTS:
        _PARTS[single] = [parts.joined(_PARTS[rows])]
    return single


def task_count(rows: DataFrame) -> int:
    """Return how many tasks compute the rows."""
    return len(_PARTS[rows]) if rows in _PARTS else rows.rdd.getNumPartitions()


def write(rows: DataFrame, folder: str, schema: pa.Schema) -> list[dict[str, Any]]:
    """Write a DataFrame to new Parquet files; return their `WRITE_REPORT` rows.

    Args:
        rows: What is written; a task writes one file.
        folder: Path or URL of the batch.
        schema: Schema of the files.
    """
    report = from_arrow_schema(schemas.WRITE_REPORT)
    if rows in _PARTS:
        tasks = [
            parts.written(part, folder, schema, number)
            for number, part in enumerate(_PARTS[rows])
        ]
        reports = from_parts(tasks, schemas.WRITE_REPORT)
    else:
        step = partial(_write_partition, folder=folder, schema=schema)
        reports = rows.mapInArrow(step, report)
    found = [row.asDict() for row in reports.collect()]
    if not found:  # Spark runs no task for rows that it knows to be none
        (empty,) = parts.write_rows(iter(()), folder, schema)
        found = empty.to_pylist()
    return found


def _write_partition(rows: Rows, folder: str, schema: pa.Schema) -> Rows:
    context = TaskContext.get()
    number = context.partitionId() if context else 0
    yield from parts.write_rows(rows, folder, schema, number)


def record_batches(rows: DataFrame) -> Iterator[pa.RecordBatch]:
    """Iterate over rows on the driver; files of a table are read without the JVM."""
    if rows in _PARTS:
        for part in _PARTS[rows]:
            yield from part()
    else:
        yield from rows.toArrow().to_batches()


def with_bytes(rows: DataFrame, chosen: pd.DataFrame, column: str) -> pd.DataFrame:
    """Add a column of bytes to a few rows, reading only their batches.

    Args:
        rows: Rows with `path`, `batch` and the column.
        chosen: Some of them, with `path` and `batch`.
        column: Name of the column.
    """
    found: dict[str, bytes] = {}
    if len(chosen):
        batches = F.col("batch").isin([*chosen["batch"].unique()])
        wanted = rows.where(batches & F.col("path").isin([*chosen["path"]]))
        table = wanted.select("path", column).toArrow()
        pairs = zip(table["path"].to_pylist(), table[column].to_pylist(), strict=True)
        found = dict(pairs)
    return chosen.assign(**{column: chosen["path"].map(found)})


def in_splits(names: Sequence[str]) -> Column:
    """Return a Boolean column: `split` in `names`, case-insensitive.

    Null if `split` is null.
    """
    return F.lower("split").isin([name.lower() for name in names])


def per_batch(function: Callable[..., DataFrame]) -> Callable[..., Batches]:
    """Lift a function of a DataFrame to one of batches.

    Args:
        function: Takes the rows of one batch, and further arguments.

    Returns:
        A node function that applies `function` to each batch when it is asked for.
    """

    @wraps(function)
    def lifted(batches: Batches, *others: Any) -> Batches:
        return {
            name: partial(_applied, function, load, others)
            for name, load in batches.items()
        }

    return lifted


def _applied(
    function: Callable[..., DataFrame],
    load: Callable[[], DataFrame],
    others: tuple[Any, ...],
) -> DataFrame:
    return function(load(), *others)


def passed_on(check: Callable[..., None]) -> Callable[..., Batches]:
    """Return a node function that returns its first input once `check` accepts the rest.

    Args:
        check: Takes the inputs but the first, and raises to stop the run.
    """

    def checked(batches: Batches, *others: Any) -> Batches:
        check(*others)
        return batches

    checked.__name__, checked.__doc__ = check.__name__, check.__doc__
    return checked


_sending = Lock()
_sent: list[tuple[object, Broadcast[Any]]] = []
"""The newest model only, so that no other stays in memory."""


def broadcast(value: Any) -> Broadcast[Any]:
    """Send a model to the workers, once for all batches of a node."""
    context = SparkSession.builder.getOrCreate().sparkContext
    with _sending:  # batches are computed in several threads
        if not _sent or _sent[0][0] is not value or _sent[0][1]._sc is not context:
            _sent[:] = [(value, context.broadcast(value))]
        return _sent[0][1]
