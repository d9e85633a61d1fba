"""Rows, steps and stored tables for tests of DataFrames."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from factories import arrow_table, key_of
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.spark.frames import from_tables, write
from fruits_pipeline.spark.parts import Rows
from fruits_pipeline.spark.tables import from_table

KEY = pa.schema(schemas.KEY)
APPLE, PEAR, LIME = "Test/Apple/0.jpg", "Test/Pear/0.jpg", "Test/Lime/0.jpg"


def key_table(*paths: str) -> pa.Table:
    return arrow_table([key_of(path) for path in paths], KEY)


def uppercase_labels(rows: Rows) -> Rows:
    for batch in rows:
        label = pc.utf8_upper(batch["label"])
        yield batch.set_column(batch.schema.get_field_index("label"), "label", label)


def fail_if_read(rows: Rows) -> Rows:
    raise AssertionError("the rows were read")
    yield from rows


def fill_column(rows: Rows, column: str, value: Callable[[], str]) -> Rows:
    for batch in rows:
        values = pa.array([value()] * len(batch))
        yield batch.set_column(batch.schema.get_field_index(column), column, values)


def read_reported(folder: Path | str, reports: Iterable[dict[str, Any]]) -> pa.Table:
    """Read the files in write reports."""
    files = [pq.ParquetFile(f"{folder}/{report['file']}") for report in reports]
    return pa.concat_tables([file.read() for file in files])


def store_files(folder: Path, *tables: pa.Table) -> list[str]:
    """Write each table to a file, and return the paths of the files."""
    schema = tables[0].schema
    reports = write(from_tables(tables, schema), str(folder), schema)
    return [f"{folder}/{report['file']}" for report in reports]


def store_table(folder: Path, batches: dict[str, Sequence[pa.Table]]) -> DataFrame:
    """Write a table with one file per Arrow table, and load it."""
    paths = [
        path
        for name, tables in batches.items()
        for path in store_files(folder / f"batch={name}", *tables)
    ]
    files = [str(Path(path).relative_to(folder)) for path in paths]
    schema = next(iter(batches.values()))[0].schema
    return from_table(str(folder), files, schema)
