"""Read and write the Parquet files of tables. Workers import this module, not Spark."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import TypeVar
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from fruits_pipeline.errors import REPAIR, FruitsError
from fruits_pipeline.io.files import is_local, read_file, write_file
from fruits_pipeline.io.request_counts import SENT
from fruits_pipeline.spark.write_reports import key_digests, make_report, sum_column

BATCH_ROWS = 256
"""Maximum rows of a record batch: limits the decoded photos in a worker's memory."""

# LZ4 is the fastest codec of Parquet: it takes 8 us per photo for all tables, and makes
# them 8 % smaller than the JPEG files. zstd level 1 takes twice the time for 12 %.
# Dictionaries are for columns with few different values.
ENCODING = {"compression": "lz4", "use_dictionary": ["label", "split", "series"]}

MAX_READS = 8
"""Number of attempts to read a file from a store that delivers wrong bytes."""

_FILE_NAME = re.compile(
    r"part-\d+-[0-9a-f]{8}-([0-9a-f]{8})-[0-9a-f]{16}-[0-9a-f]{16}\.parquet"
)
"""Name of a file of `write_rows`, with the CRC-32 of its content."""


def read_rows(path: str, columns: pa.Schema | None = None) -> Iterator[pa.RecordBatch]:
    """Read a Parquet file with one request.

    Args:
        path: Path or URL of the file.
        columns: Expected columns; those that the file lacks are null.

    Yields:
        Batches of at most `BATCH_ROWS` rows; one empty batch if the file has no rows.

    Raises:
        FruitsError: The file is missing or damaged.
    """
    try:
        for rows in read_stored(path):
            yield complete(rows, columns)
    except READ_ERRORS as exc:
        raise FruitsError(unreadable_message(path, exc)) from exc


def read_stored(path: str) -> Iterator[pa.RecordBatch]:
    """Read the columns that a Parquet file contains, as `read_rows`.

    Raises:
        READ_ERRORS: The file is missing or damaged.
    """
    file = _open_file(path, attempts=1 if is_local(path) else MAX_READS)
    count, expected = 0, file.metadata.num_rows
    schema = pa.schema([f.with_type(_without_views(f.type)) for f in file.schema_arrow])
    if not expected:
        yield pa.RecordBatch.from_pylist([], schema)
    for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
        count += len(batch)
        yield batch if batch.schema == schema else batch.cast(schema)
    if count != expected:  # checksums do not cover page headers
        raise pa.ArrowInvalid(f"{count} rows, but its footer says {expected}")


def _open_file(path: str, attempts: int) -> pq.ParquetFile:
    """Read a Parquet file; read it again if a store has delivered wrong bytes."""
    content = read_file(path)
    try:
        # The checksum of the file includes headers and footer; those of the pages do not.
        is_checked = _check_content(path, content)
        source = pa.BufferReader(content)
        return pq.ParquetFile(source, page_checksum_verification=not is_checked)
    except pa.ArrowException:
        if attempts <= 1:
            raise
    return _open_file(path, attempts - 1)


def _check_content(path: str, content: bytes) -> bool:
    """Check the content of a file if its name contains the CRC-32.

    Returns:
        Whether the name contains it. Other programs and older versions do not write it.

    Raises:
        pa.ArrowInvalid: The content has another CRC-32.
    """
    name = _FILE_NAME.fullmatch(path.rpartition("/")[2])
    if name and f"{zlib.crc32(content):08x}" != name[1]:
        raise pa.ArrowInvalid("its content differs from the checksum in its name")
    return name is not None


def has_checksum(path: str) -> bool:
    """Return whether the name of a file contains the CRC-32 of its content."""
    return _FILE_NAME.fullmatch(path.rpartition("/")[2]) is not None


def write_rows(
    rows: Iterator[pa.RecordBatch], folder: str, schema: pa.Schema, number: int = 0
) -> Iterator[pa.RecordBatch]:
    """Write rows to a new Parquet file; all of them are in memory at once.

    The file name is unique: a task that Spark runs twice writes two files, and only the
    reported file becomes part of the table. The name contains the CRC-32 of the content,
    and the key digests of all rows and of the rows without an error, which serve to
    compare tables.

    Args:
        rows: Record batches with at least the columns of `schema`. The sum of a column
            `retries` is part of the report.
        folder: Path or URL of the batch.
        schema: Schema of the file.
        number: Position of the file in its batch, for the file name.

    Yields:
        One `WRITE_REPORT` row.
    """
    before = SENT.total
    # A filter in Spark makes columns non-nullable; the cast restores the schema.
    tables = [schema.empty_table(), *(pa.Table.from_batches([batch]) for batch in rows)]
    retries = sum(sum_column(table, "retries") for table in tables)
    table = pa.concat_tables(t.select(schema.names).cast(schema) for t in tables)
    content = pa.BufferOutputStream()
    options = ENCODING | {"write_statistics": _columns_with_statistics(schema)}
    pq.write_table(table, content, write_page_checksum=True, **options)
    buffer = content.getvalue()
    unique = f"{uuid4().hex[:8]}-{zlib.crc32(buffer):08x}"
    name = f"part-{number:05d}-{unique}-{key_digests(table)}.parquet"
    write_file(f"{folder}/{name}", buffer.to_pybytes())
    requests = SENT.total.minus(before)
    yield make_report(table, name, buffer.size, retries, requests)


READ_ERRORS = (pa.ArrowException, OSError, ValueError, KeyError)
"""Errors of PyArrow for damaged Parquet files."""

Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)


def complete(rows: Rows, columns: pa.Schema | None) -> Rows:
    """Select columns; those that an older version did not write are null."""
    if columns is None:
        return rows
    for column in columns:
        if column.name not in rows.schema.names:
            rows = rows.append_column(column, pa.nulls(len(rows), column.type))
    return rows.select(columns.names)


def unreadable_message(path: str, reason: object) -> str:
    """Return the error message for a data file that is missing or damaged."""
    return (
        f"Found {path} unreadable ({reason}); expected the Parquet file that the table's "
        f"log lists. {REPAIR}"
    )


def _without_views(kind: pa.DataType) -> pa.DataType:
    """Replace view types, which delta-rs writes, by the types of `schemas`."""
    if pa.types.is_list(kind):
        return pa.list_(_without_views(kind.value_type))
    types = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    return types.get(kind, kind)


def _columns_with_statistics(schema: pa.Schema) -> list[str]:
    """Return all columns except photos and vectors, whose statistics would be large."""
    large = (pa.types.is_binary, pa.types.is_list)
    return [f.name for f in schema if not any(is_type(f.type) for is_type in large)]
