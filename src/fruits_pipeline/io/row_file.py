"""Rows in a temporary file, which are read in chunks of a fixed size."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa


class RowFile:
    """Rows on disk, in the order in which they were added.

    Call `close` after the last `add`, and before rows are read. The file is deleted with
    this object.

    Args:
        schema: Schema of the rows.
        folder: Existing folder for the file.
        chunk_rows: Rows of each chunk, except the last.
    """

    def __init__(self, schema: pa.Schema, folder: Any, chunk_rows: int) -> None:
        self.schema = schema
        self.chunk_rows = chunk_rows
        self.rows = 0
        self._pending: list[pa.Table] = []
        handle, self._path = tempfile.mkstemp(".arrow", "rows-", folder)
        self._sink = open(handle, "wb")  # noqa: SIM115 - closed by `close`
        self._writer = pa.ipc.new_file(self._sink, schema)
        weakref.finalize(self, Path(self._path).unlink, missing_ok=True)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.rows

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.rows // self.chunk_rows)  # rounded up

    def add(self, rows: pa.Table) -> None:
        """Add rows with the columns of the schema."""
        self._pending.append(rows.select(self.schema.names).cast(self.schema))
        self.rows += len(rows)
        if sum(map(len, self._pending)) >= self.chunk_rows:
            self._write(is_last=False)

    def close(self) -> None:
        """Write the last chunk."""
        self._write(is_last=True)
        self._writer.close()
        self._sink.close()

    def _write(self, is_last: bool) -> None:
        table = pa.concat_tables([self.schema.empty_table(), *self._pending])
        complete = len(table) if is_last else len(table) - len(table) % self.chunk_rows
        for start in range(0, complete, self.chunk_rows):
            chunk = table.slice(start, self.chunk_rows).combine_chunks()
            self._writer.write_table(chunk, max_chunksize=self.chunk_rows)
        self._pending = [table.slice(complete)]

    def read(self, number: int) -> pa.Table:
        """Return the rows of a chunk, by its position."""
        with pa.memory_map(self._path) as source:
            chunk = pa.ipc.open_file(source).get_batch(number)
        return pa.Table.from_batches([chunk])

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rows of all chunks."""
        for number in range(self.chunks):
            yield self.read(number)
