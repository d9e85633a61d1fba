"""Parts: what one Spark task reads, transforms and writes, in one Python process.

Nothing here imports Spark, which keeps a worker small. Rows that pass through the JVM on
their way cost more than the work on them; see docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import chain
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import read_file, write_new

Rows = Iterator[pa.RecordBatch]

Step = Callable[[Rows], Rows]
"""Transforms a stream of record batches; must map an empty batch to an empty batch."""

Part = Callable[[], Rows]
"""Returns the rows of one task: at least one record batch, which may be empty."""

ROWS = 256
"""Rows of a record batch, and so decoded photos in memory per worker, at most."""

# LZ4 is the cheapest codec of Parquet (8 us a photo for all tables, 8 % smaller than the
# JPEG); zstd at level 1 takes twice the time for 12 %. Dictionaries suit repeated values.
ENCODING = {"compression": "lz4", "use_dictionary": ["label", "split", "series"]}


def in_memory(table: pa.Table) -> Part:
    """Return a part that yields the rows of `table`."""
    return partial(_batches_of, table)


@dataclass(frozen=True)
class StoredPart:
    """A part that reads a Parquet file with one request.

    Attributes:
        place: Path or URL of the file.
        batch: Name of its batch, added as the column `batch`; None to add no column.
    """

    place: str
    batch: str | None = None

    def __call__(self) -> Rows:
        """Read the rows.

        Raises:
            FruitsError: The file is missing or damaged.
        """
        for rows in _read(self.place):
            if self.batch is None:
                yield rows
            else:
                name = pa.array([self.batch] * len(rows), pa.string())
                schema = pa.schema([*rows.schema, schemas.BATCH])
                yield pa.record_batch([*rows.columns, name], schema=schema)


def joined(parts: Sequence[Part]) -> Part:
    """Return one part that yields the rows of `parts`, one after the other."""
    return partial(_chain, tuple(parts))


def then(part: Part, step: Step) -> Part:
    """Return a part that applies `step` to the rows of `part`."""
    return partial(_apply, part, step)


def written(part: Part, folder: str, schema: pa.Schema, number: int) -> Part:
    """Return a part that writes its rows to a new file and yields a write report.

    Args:
        part: Whose rows are written; all of them are in memory once.
        folder: Path or URL of the batch.
        schema: Schema of the file.
        number: Position of the part in its batch, the first part of the file name.
    """
    return then(part, partial(write_rows, folder=folder, schema=schema, number=number))


def run(numbers: Rows, parts: Sequence[Part]) -> Rows:
    """Yield the rows of those `parts` whose positions are in the column `id`."""
    for batch in numbers:
        for number in batch["id"].to_pylist():
            yield from parts[number]()


def write_rows(rows: Rows, folder: str, schema: pa.Schema, number: int = 0) -> Rows:
    """Write rows to a new Parquet file; yield one row of `schemas.WRITE_REPORT`.

    The name is unique: a task that Spark runs twice writes two files, and only the one
    that is reported becomes part of the table. It ends with the digests of the keys of
    all rows, and of the rows without an error, which are compared between tables.
    """
    # Filters of Spark make columns non-nullable; a cast restores the schema.
    tables = [schema.empty_table(), *map(_as_table, rows)]
    table = pa.concat_tables(t.select(schema.names).cast(schema) for t in tables)
    content = pa.BufferOutputStream()
    options = ENCODING | {"write_statistics": _short_columns(schema)}
    pq.write_table(table, content, write_page_checksum=True, **options)
    buffer = content.getvalue()
    name = f"part-{number:05d}-{uuid4().hex[:16]}-{_digests(table)}.parquet"
    write_new(f"{folder}/{name}", buffer.to_pybytes())
    yield report_of(table, name, buffer.size)


def _as_table(batch: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([batch])


def _digests(table: pa.Table) -> str:
    if "keys" in table.column_names:  # moments: of the photos that they describe
        keys = "".join(table["keys"].to_pylist()) or key_digest(())
        return f"{keys}-{keys}"
    if not {"path", "photo_id"} <= {*table.column_names}:
        return f"{key_digest(())}-{key_digest(())}"
    valid = table
    if "error" in table.column_names:
        valid = table.filter(table["error"].is_null())
    return f"{key_digest(keys_of(table))}-{key_digest(keys_of(valid))}"


def keys_of(rows: pa.Table | pa.RecordBatch) -> Iterator[tuple[str, str]]:
    """Yield (`path`, `photo_id`) of rows."""
    return zip(rows["path"].to_pylist(), rows["photo_id"].to_pylist(), strict=True)


def key_digest(keys: Iterable[tuple[str, str]]) -> str:
    """Return a digest of keys in any order: the sum of 64-bit hashes, as 16 hex digits."""
    return f"{sum(map(_hash, keys)) % 2**64:016x}"


def _hash(key: tuple[str, str]) -> int:
    text = "\0".join(key).encode(errors="surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest())


def _short_columns(schema: pa.Schema) -> list[str]:
    """Return the columns whose statistics are worth keeping: not photos or vectors."""
    long = (pa.types.is_binary, pa.types.is_list)
    return [f.name for f in schema if not any(test(f.type) for test in long)]


def report_of(table: pa.Table, name: str, size: int) -> pa.RecordBatch:
    """Return the write report of a file: its size, and statistics of its rows."""
    columns = table.column_names
    errors = len(table) - table["error"].null_count if "error" in columns else 0
    # A row of moments stands for the n photos that it was computed from.
    photos = pc.sum(table["n"]).as_py() if "n" in columns else len(table)
    paths = pc.min_max(table["path"]) if "path" in columns else {}
    row = {
        "file": name,
        "size_bytes": size,
        "rows": len(table),
        "errors": errors,
        "photos": photos or 0,
        "first_path": paths["min"].as_py() if paths else None,
        "last_path": paths["max"].as_py() if paths else None,
    }
    return pa.RecordBatch.from_pylist([row], schemas.WRITE_REPORT)


def _batches_of(table: pa.Table) -> Rows:
    empty = pa.RecordBatch.from_pylist([], table.schema)
    yield from table.to_batches(ROWS) or [empty]


def _read(place: str) -> Rows:
    try:
        source = pa.BufferReader(read_file(place))
        file = pq.ParquetFile(source, page_checksum_verification=True)
        found, expected = 0, file.metadata.num_rows
        schema = pa.schema([f.with_type(_plain(f.type)) for f in file.schema_arrow])
        if not expected:
            yield pa.RecordBatch.from_pylist([], schema)
        for rows in file.iter_batches(ROWS, use_threads=False):
            found += len(rows)
            yield rows if rows.schema == schema else rows.cast(schema)
        if found != expected:  # checksums do not cover the headers of pages
            raise pa.ArrowInvalid(f"{found} rows, but its footer says {expected}")
    except (pa.ArrowInvalid, OSError) as exc:
        raise FruitsError(unreadable(place, exc)) from exc


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type as this project writes it; delta-rs writes views."""
    if pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    return {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}.get(
        kind, kind
    )


def unreadable(place: str, reason: object) -> str:
    """Return the error message for a table file that is missing or damaged."""
    return (
        f"Found {place} unreadable ({reason}); expected the Parquet file that the table's "
        "log lists. Compute its batch again with --params damaged_batches=recompute"
    )


def _chain(parts: Sequence[Part]) -> Rows:
    return chain.from_iterable(part() for part in parts)


def _apply(part: Part, step: Step) -> Rows:
    return step(part())
