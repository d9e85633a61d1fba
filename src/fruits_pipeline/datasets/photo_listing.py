"""The files below the photo root, on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline import schemas
from fruits_pipeline.io.files import read_files
from fruits_pipeline.io.left_out import LeftOut
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.io.sorted_runs import SortedRuns
from fruits_pipeline.spark.folders import temporary_folder
from fruits_pipeline.spark.run_folders import run_folder


def work_folder() -> Path:
    """Return the folder of this run for temporary rows; see `TMPDIR`."""
    return run_folder(temporary_folder())


class ListedFiles:
    """Listed files: more than 50,000 are on disk, not in memory.

    Args:
        tables: `schemas.LISTED` rows.
    """

    def __init__(self, tables: Iterable[pa.Table] = ()) -> None:
        self._rows = SortedRuns(schemas.LISTED, work_folder)
        for table in tables:
            self._rows.add(table)

    @classmethod
    def of(
        cls, files: Iterable[ListedFile], archived: Iterable[str] = ()
    ) -> ListedFiles:
        """Return a listing of some files.

        Args:
            files: The files.
            archived: Paths of those that must be restored before they can be read.
        """
        paths = {*archived}
        rows = [f._asdict() | {"archived": f.path in paths} for f in files]
        return cls([pa.Table.from_pylist(rows, schemas.LISTED)])

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self._rows)

    def __iter__(self) -> Iterator[ListedFile]:
        """Yield the files, in any order."""
        for table in self.tables():
            yield from to_files(table)

    def tables(self) -> Iterator[pa.Table]:
        """Yield `schemas.LISTED` rows, in any order."""
        return self._rows.tables()

    @property
    def runs(self) -> SortedRuns:
        """The rows, to be joined with others by path."""
        return self._rows


def to_files(rows: pa.Table) -> Iterator[ListedFile]:
    """Yield the files in rows with the columns of `ListedFile`."""
    columns = [rows[name].to_pylist() for name in ListedFile._fields]
    return (ListedFile(*row) for row in zip(*columns, strict=True))


@dataclass(frozen=True)
class Listing:
    """The files below the photo root.

    Attributes:
        photo_root: Path or URL of the photo root.
        files: Photos and other files.
        left_out: Entries that are no readable files, or below `root`, the folder of the
            tables.
        excluded: Why some of `files` are left out, by path.
        complete_until: Time after which files may have been added or deleted that the
            listing does not contain; None if it is current.
    """

    photo_root: str
    files: ListedFiles
    left_out: LeftOut = field(default_factory=LeftOut)
    excluded: Mapping[str, str] = field(default_factory=dict)
    complete_until: datetime | None = None

    def read(
        self, files: Sequence[ListedFile], requests_in_flight: int = 32
    ) -> list[bytes | OSError]:
        """Return the content of files, or the error of reading each; see `read_files`."""
        found = read_files(self.photo_root, files, requests_in_flight)
        return [file.content for file in found]

    def without_excluded(self, rows: pa.Table, left_out: LeftOut) -> pa.Table:
        """Return rows of `files` that are not excluded; add the others to `left_out`."""
        if not self.excluded:
            return rows
        is_excluded = pc.is_in(rows["path"], pa.array([*self.excluded], pa.string()))
        for path in rows["path"].filter(is_excluded).to_pylist():
            left_out.add(path, self.excluded[path])
        return rows.filter(pc.invert(is_excluded))
