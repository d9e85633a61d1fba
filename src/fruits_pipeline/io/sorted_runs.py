"""Rows that are sorted on disk and read in ranges of a key, in bounded memory.

This is an external sort: rows are written in sorted runs of `RUN_ROWS`, and a range is
read from all runs. Fewer rows stay in memory. Two collections are joined by reading the
same ranges of both.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

RUN_ROWS = 50_000
"""Rows of a run, and approximate rows of a range: about 7 MB with paths of 60 bytes."""

SAMPLED_ROWS = 1000
"""One key of this number of rows is kept in memory, to find ranges of equal size."""


class SortedRuns:
    """A table that is read in order of a key column, a text without nulls.

    Args:
        schema: Schema of the rows.
        folder: Returns an existing folder, in which files are created when there are more
            than `RUN_ROWS` rows. They are deleted with this object.
        key: Name of the key column. Rows of equal keys are in any order.
    """

    def __init__(
        self, schema: pa.Schema, folder: Callable[[], Any], key: str = "path"
    ) -> None:
        self.schema = schema
        self.key = key
        self.rows = 0
        self._parent = folder
        self._folder: str | None = None
        self._pending: list[pa.Table] = []
        self._runs: list[str] = []
        self._sample: list[str] = []

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.rows

    def add(self, rows: pa.Table) -> None:
        """Add rows with the columns of the schema."""
        self._pending.append(rows.select(self.schema.names).cast(self.schema))
        self.rows += len(rows)
        while self._pending_rows() > RUN_ROWS:
            table = pa.concat_tables(self._pending)
            self._write_run(table.slice(0, RUN_ROWS))
            self._pending = [table.slice(RUN_ROWS)]

    def tables(self) -> Iterator[pa.Table]:
        """Yield all rows, in any order, in tables of at most `RUN_ROWS` rows."""
        yield self._last_run()
        for run in self._runs:
            with pa.memory_map(run) as source:
                yield pa.ipc.open_file(source).read_all()

    def sample(self) -> list[str]:
        """Return one key of every `SAMPLED_ROWS` rows."""
        return [*self._sample, *_sample(self._last_run()[self.key])]

    def ranges(self, bounds: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the sorted rows between successive bounds; one table more than bounds.

        Args:
            bounds: Result of `find_bounds`. Each is the first key of a range.
        """
        last = self._last_run().combine_chunks()
        starts = [0] * (len(self._runs) + 1)
        for bound in (*bounds, None):
            found = [self.schema.empty_table()]
            for i, run in enumerate((*self._runs, last)):
                rows, starts[i] = self._read_until(run, starts[i], bound)
                found.append(rows)
            yield _sort(pa.concat_tables(found), self.key)

    def _read_until(
        self, run: str | pa.Table, start: int, bound: str | None
    ) -> tuple[pa.Table, int]:
        """Return the rows of a run from a position to a key, and the next position."""
        if isinstance(run, pa.Table):
            end = _position(run[self.key], start, bound)
            return run.slice(start, end - start), end
        with pa.memory_map(run) as source:
            table = pa.ipc.open_file(source).read_all()
            end = _position(table[self.key], start, bound)
            # A copy. A slice would keep about 1 MB of the file mapped for each run.
            return table.take(pa.array(range(start, end), pa.int64())), end

    def _pending_rows(self) -> int:
        return sum(map(len, self._pending))

    def _last_run(self) -> pa.Table:
        """Return the rows that were not written, sorted."""
        rows = pa.concat_tables([self.schema.empty_table(), *self._pending])
        self._pending = [_sort(rows, self.key)]
        return self._pending[0]

    def _write_run(self, rows: pa.Table) -> None:
        table = _sort(rows, self.key).combine_chunks()
        self._sample += _sample(table[self.key])
        path = f"{self._own_folder()}/{len(self._runs):06d}.arrow"
        with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, self.schema) as file:
            file.write_table(table)
        self._runs.append(path)

    def _own_folder(self) -> str:
        if self._folder is None:
            self._folder = tempfile.mkdtemp(dir=self._parent(), prefix="rows-")
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder


def find_bounds(*collections: SortedRuns) -> list[str]:
    """Return keys that divide collections into ranges of about `RUN_ROWS` rows in total.

    No bound, and so one range, if none of the collections has more than `RUN_ROWS` rows.
    """
    if max(map(len, collections)) <= RUN_ROWS:
        return []
    keys = sorted(key for found in collections for key in found.sample())
    ranges = -(-sum(map(len, collections)) // RUN_ROWS)  # rounded up
    return sorted({keys[len(keys) * i // ranges] for i in range(1, ranges)})


def _sort(rows: pa.Table, key: str) -> pa.Table:
    return rows.take(pc.sort_indices(rows[key]))


def _sample(keys: pa.ChunkedArray) -> list[str]:
    positions = pa.array(range(SAMPLED_ROWS // 2, len(keys), SAMPLED_ROWS), pa.int64())
    sample: list[str] = keys.take(positions).to_pylist()
    return sample


def _position(keys: pa.ChunkedArray, start: int, bound: str | None) -> int:
    """Return the position of the first key that is not below a bound."""
    if bound is None:
        return len(keys)
    return bisect_left(keys, bound, start, key=lambda value: value.as_py())
