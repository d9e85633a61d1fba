"""A Delta table as its transaction log describes it: batches, files and row counts.

Tables are written by Spark's Python workers and committed here, one commit a batch, so
that a batch exists completely or not at all. Readers need nothing of this project.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.transaction import AddAction, RemoveAction
from fsspec.core import url_to_fs

from fruits_pipeline.datasets.delta.errors import errors_in_words, overtaken
from fruits_pipeline.datasets.delta.files import StoredFile, listed_file, sizes
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import Recipe
from fruits_pipeline.spark.parts import StoredPart, unreadable

logger = logging.getLogger(__name__)

RECIPE, ORIGIN = "fruits.recipe", "fruits.origin"
"""Table properties: JSON of the recipe, and of the identities of the sources."""

WRITER, LAST_BATCH = "fruits.writer", "fruits.last_batch"
"""App transactions: the run that may commit, and the highest number of a batch so far."""

OURS = re.compile(r"batch=\d+/part-\d+-[0-9a-f-]{32,52}(-c\d+)?(\.\w+)?\.parquet")
"""Names of files that this project, or delta-rs on its tables, writes."""


class DeltaLog:
    """The newest version of a table; `open_log` and `create_log` return one.

    Args:
        place: Path or URL of the table.
        table: The table.
        writer: Number of the run that has just created the table, to write to it.
    """

    def __init__(
        self, place: str, table: DeltaTable, writer: int | None = None
    ) -> None:
        self.place = place
        self._table = table
        self._writer = writer
        self._claimed = False
        self._has_removed = False

    @property
    def identity(self) -> str:
        """Id of the table; a rebuilt table has another."""
        return str(self._table.metadata().id)

    @property
    def version(self) -> int:
        """Number of the newest commit."""
        return int(self._table.version())

    @property
    def state(self) -> str:
        """Id of the table and number of the newest commit."""
        return f"{self.identity} {self.version}"

    @property
    def recipe(self) -> Recipe:
        """Recipe of the rows."""
        recipe: Recipe = json.loads(self._properties[RECIPE])
        return recipe

    @property
    def origin(self) -> list[str | None]:
        """Identities of the sources of the rows."""
        origin: list[str | None] = json.loads(self._properties[ORIGIN])
        return origin

    @property
    def columns(self) -> list[str]:
        """Names of the columns of the files."""
        return [field.name for field in self._table.schema().fields]

    @property
    def last_batch(self) -> int:
        """Highest number that a batch ever had; numbers are not used again."""
        return max(self._last_batch, *map(int, self.batches), 0)

    @cached_property
    def _last_batch(self) -> int:
        """Highest number that a commit noted; reads all of the log."""
        return self._table.transaction_version(LAST_BATCH) or 0

    @cached_property
    def batches(self) -> Mapping[str, Sequence[StoredFile]]:
        """Files of each batch, in the order of their parts, by sorted batch name."""
        actions = pa.table(self._table.get_add_actions(flatten=True))
        found = defaultdict(list)
        for row in actions.sort_by("path").to_pylist():
            file = listed_file(row)
            found[file.batch].append(file)
        return {name: found[name] for name in sorted(found)}

    @property
    def files(self) -> list[StoredFile]:
        """Files of all batches."""
        return [file for files in self.batches.values() for file in files]

    def commit(
        self,
        added: Iterable[StoredFile] = (),
        removed: Iterable[StoredFile] = (),
        **metadata: str,
    ) -> None:
        """Add and remove files in one commit; `claim` must have been called.

        Args:
            added: Files that workers have written.
            removed: Files that the log lists.
            metadata: Recorded in the table's history.

        Raises:
            FruitsError: Another run has claimed the table.
        """
        now = int(time.time() * 1000)
        adding, removing = [*added], [*removed]
        actions: list[AddAction | RemoveAction] = [
            AddAction(f.path, f.size_bytes, {"batch": f.batch}, now, True, f.stats())
            for f in adding
        ]
        actions += [
            RemoveAction(f.path, True, now, f.size_bytes, {"batch": f.batch})
            for f in removing
        ]
        last = max([self.last_batch, *(int(file.batch) for file in adding)])
        properties = CommitProperties(
            custom_metadata=metadata,
            app_transactions=[
                Transaction(WRITER, self._writer or 0),
                Transaction(LAST_BATCH, last),
            ],
        )
        with errors_in_words(self.place):
            self._table.create_write_transaction(
                actions,
                "append",
                self._table.schema(),
                ["batch"],
                commit_properties=properties,
            )
            self._has_removed |= bool(removing)
            self._refresh(own_commits=1)

    def claim(self) -> None:
        """Become the only run that may commit, and delete uncommitted files.

        Commits of a run that claimed the table earlier fail from now on, so files that
        it has written and not committed can be deleted safely.

        Raises:
            FruitsError: Another run claimed the table since.
        """
        if self._claimed:
            return
        self._claimed = True
        if self._writer is None:
            # Not shared with readers: they would hide a later claim from commits.
            with errors_in_words(self.place):
                self._table = DeltaTable(self.place)
            self._writer = (self._table.transaction_version(WRITER) or 0) + 1
            self.commit()
        self.clean()

    def finish(self) -> None:
        """Delete the files that this run has replaced by others."""
        if self._has_removed:
            self.clean()

    def clean(self) -> None:
        """Delete files that the newest version does not list, if they are this project's.

        Raises:
            FruitsError: Another run has claimed the table; its files are kept.
        """
        # In this order: files of a run that claims the table later are not in `found`.
        found = [path for path in sizes(self.place) if OURS.fullmatch(path)]
        self._refresh(own_commits=0)
        listed = {file.path for file in self.files}
        left = [path for path in found if path not in listed]
        if not left:
            return
        file_system, base = url_to_fs(self.place)
        for path in left:  # not `rm`, which takes names for patterns
            file_system.rm_file(f"{base}/{path}")
        logger.info("%s: deleted %d files of older versions", self.place, len(left))

    def set_recipe(self, recipe: Recipe) -> None:
        """Replace the recipe, as the same photos are read from another location."""
        with errors_in_words(self.place):
            self._table.alter.set_table_properties(
                {RECIPE: json.dumps(recipe)}, raise_if_not_exists=False
            )
            self._refresh(own_commits=0)

    def damaged(self, read: bool = False) -> Iterator[tuple[StoredFile, str]]:
        """Yield files that are missing, cut off or damaged, and what is wrong.

        Args:
            read: Whether to read every file, which finds flipped bits too.
        """
        stored = sizes(self.place)
        for file in self.files:
            place, size = f"{self.place}/{file.path}", stored.get(file.path)
            if size is None:
                yield file, f"no file {place}"
            elif size != file.size_bytes:
                yield file, f"{place} of {size} bytes"
            elif read and (reason := _unreadable(place)):
                yield file, reason

    def check_files(self) -> None:
        """Raise unless storage has every file that the log lists, with its size.

        Raises:
            FruitsError: A file is missing or has another size.
        """
        for file, what in self.damaged():
            raise FruitsError(
                f"Found {what}, which the log lists for batch {file.batch} of "
                f"{self.place}; expected all files as they were written. Compute the batch "
                "again: run all stages (`kedro run`) with the same parameters and --params "
                "damaged_batches=recompute"
            )

    def read(self, files: Iterable[StoredFile], columns: Sequence[str]) -> pa.Table:
        """Read columns of some files on the driver, without Spark.

        Raises:
            FruitsError: A file is missing or damaged.
        """
        file_system, base = url_to_fs(self.place)
        schema = pa.schema(self._table.schema())
        fields = pa.schema([schema.field(name) for name in columns])
        tables = [fields.empty_table()]
        for file in files:
            place = f"{base}/{file.path}"
            try:
                with file_system.open(place) as source:
                    found = pq.read_table(source, columns=[*columns], partitioning=None)
            except (OSError, pa.ArrowInvalid) as exc:
                raise FruitsError(unreadable(place, exc)) from exc
            tables.append(found.cast(fields))
        return pa.concat_tables(tables)

    def to_pandas(self) -> pd.DataFrame:
        """Return all rows, with the column `batch`."""
        return self._table.to_pandas()

    def _refresh(self, own_commits: int) -> None:
        """Read newer commits.

        Args:
            own_commits: How many of them are this run's.

        Raises:
            FruitsError: Another run has claimed the table.
        """
        expected = self.version + own_commits
        self._table.update_incremental()
        self.__dict__.pop("batches", None)
        if self.version == expected or self._writer is None:
            return
        if self._table.transaction_version(WRITER) != self._writer:
            raise overtaken(self.place)

    @property
    def _properties(self) -> Mapping[str, str]:
        properties: Mapping[str, str] = self._table.metadata().configuration
        return properties


def _unreadable(place: str) -> str | None:
    """Return why a file cannot be read, None if it can."""
    try:
        for _ in StoredPart(place)():
            pass
    except FruitsError as exc:
        return str(exc)
    return None
