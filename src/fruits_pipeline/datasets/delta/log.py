"""The newest version of a Delta table: properties, batches and data files."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, partial

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from fruits_pipeline.datasets.delta.errors import translate_delta_errors
from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.requests import repeat
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import resolve
from fruits_pipeline.lineage import Recipe
from fruits_pipeline.schemas import BATCH
from fruits_pipeline.spark.parquet import (
    READ_ERRORS,
    complete,
    read_rows,
    unreadable_message,
)

RECIPE, SOURCE_IDS = "fruits.recipe", "fruits.origin"
"""Table properties: the recipe and the build ids of the sources, as JSON."""

VERSION = "fruits.schema_version"
"""Table property: version of the table; see `schema_version`."""

WRITER, LAST_BATCH = "fruits.writer", "fruits.last_batch"
"""Names of app transactions: number of the writer, and highest batch number ever used."""

EARLIER_BATCH = "fruits.earlier_batch"
"""App transaction: highest batch number before the last run that added batches."""


Batches = Mapping[str, Sequence[DataFile]]
"""Files by batch name, both sorted."""


class DeltaLog:
    """The newest version of a table, as its transaction log describes it.

    Args:
        location: Path or URL of the table.
        table: The table, as opened by deltalake.
    """

    def __init__(self, location: str, table: DeltaTable) -> None:
        self.location = location
        self.table = table
        self._read: tuple[int, Batches] | None = None

    @property
    def table_id(self) -> str:
        """Id of the table; a rebuilt table has another one."""
        return str(self.table.metadata().id)

    @property
    def version(self) -> int:
        """Number of the newest commit."""
        return int(self.table.version())

    @property
    def version_id(self) -> str:
        """Id of the table and number of the newest commit."""
        return f"{self.table_id} {self.version}"

    @property
    def properties(self) -> Mapping[str, str]:
        """Table properties."""
        properties: Mapping[str, str] = self.table.metadata().configuration
        return properties

    @property
    def recipe(self) -> Recipe:
        """Recipe of the rows."""
        with translate_delta_errors(self.location):
            recipe: Recipe = json.loads(self.properties[RECIPE])
        return recipe

    @property
    def source_ids(self) -> list[str | None]:
        """Build ids of the sources that the rows were computed from."""
        with translate_delta_errors(self.location):
            ids: list[str | None] = json.loads(self.properties[SOURCE_IDS])
        return ids

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return [field.name for field in self.table.schema().fields]

    @property
    def writer(self) -> int:
        """Number of the writer that claimed the table last; 0 if none did."""
        return self._transaction(WRITER)

    @property
    def last_batch(self) -> int:
        """Highest batch number ever used; numbers are not used again."""
        return max(self._committed_last_batch, *map(int, self.batches), 0)

    @cached_property
    def _committed_last_batch(self) -> int:
        # Cached, because it reads the complete log. Batches committed later are in
        # `batches`.
        return self._transaction(LAST_BATCH)

    @property
    def new_batches(self) -> list[str]:
        """Batches that the last run with new batches has added; all in an older table."""
        earlier = self._transaction(EARLIER_BATCH)
        return [name for name in self.batches if int(name) > earlier]

    def _transaction(self, name: str) -> int:
        read = partial(self.table.transaction_version, name)
        return repeat(self.location, read) or 0

    @property
    def batches(self) -> Batches:
        """Files of each batch in the order of their parts, sorted by batch name."""
        if self._read is None:
            self._read = self.version, self._read_batches()
        return self._read[1]

    def _read_batches(self) -> Batches:
        found = defaultdict(list)
        with translate_delta_errors(self.location):
            read = partial(self.table.get_add_actions, flatten=True)
            actions = pa.table(repeat(self.location, read))
            for action in actions.sort_by("path").to_pylist():
                file = DataFile.from_add_action(action)
                found[file.batch].append(file)
        return {name: found[name] for name in sorted(found)}

    @property
    def files(self) -> list[DataFile]:
        """Files of all batches."""
        return [file for files in self.batches.values() for file in files]

    def recently_removed(self) -> set[str]:
        """Return the paths of stored files that were removed, and are kept for readers.

        They are kept for the time that `delta.deletedFileRetentionDuration` states.
        """
        # Without the check that this time is long enough: the user has chosen it.
        find = partial(
            self.table.vacuum, dry_run=True, enforce_retention_duration=False
        )
        with translate_delta_errors(self.location):
            removed = repeat(self.location, partial(find, retention_hours=0))
            expired = repeat(self.location, find)
        return {*removed} - {*expired}

    def refresh(self) -> None:
        """Read newer commits."""
        repeat(self.location, self.table.update_incremental)
        if self._read and self._read[0] != self.version:
            self._read = None

    def refresh_own(
        self, added: Sequence[DataFile], removed: Sequence[DataFile]
    ) -> None:
        """Read a commit of this process, and newer ones.

        If there are no newer ones, the other files of the table are not read again, so
        that a commit does not take longer the more files the table has.

        Args:
            added: Files that the commit adds.
            removed: Files that it removes.
        """
        old, known = self.version, self._read
        self.refresh()
        if known and known[0] == old and self.version == old + 1:
            self._read = self.version, _change(known[1], added, removed)

    def read(self, files: Iterable[DataFile], columns: Sequence[str]) -> pa.Table:
        """Read columns of files on the driver, without Spark.

        Raises:
            FruitsError: A file is missing or damaged.
        """
        file_system, base = resolve(self.location)
        schema = pa.schema(self.table.schema())
        fields = pa.schema([schema.field(name) for name in columns])
        tables = [fields.empty_table()]
        for file in files:
            path = f"{base}/{file.path}"
            try:
                with file_system.open(path) as source:
                    stored = pq.ParquetFile(source, page_checksum_verification=True)
                    found = complete(stored.read([*columns]), fields).cast(fields)
                if len(found) != file.rows:
                    raise pa.ArrowInvalid(f"{len(found)} rows instead of {file.rows}")
            except READ_ERRORS as exc:
                raise FruitsError(unreadable_message(path, exc)) from exc
            tables.append(found)
        return pa.concat_tables(tables)

    def to_pandas(self, schema: pa.Schema) -> pd.DataFrame:
        """Return all rows, with the column `batch`.

        Args:
            schema: Schema of the data files.

        Raises:
            FruitsError: A file is missing or damaged.
        """
        tables = [pa.schema([*schema, BATCH]).empty_table()]
        for file in self.files:
            rows = read_rows(f"{self.location}/{file.path}", schema)
            table = pa.Table.from_batches(rows, schema)
            names = pa.array([file.batch] * len(table), BATCH.type)
            tables.append(table.append_column(BATCH, names))
        all_rows: pd.DataFrame = pa.concat_tables(tables).to_pandas()
        return all_rows


def _change(
    batches: Batches, added: Sequence[DataFile], removed: Sequence[DataFile]
) -> Batches:
    """Return the batches after a commit; only those that it changes are copied."""
    changed = {**batches}
    gone = {file.path for file in removed}
    for file in removed:
        kept = [other for other in changed[file.batch] if other.path not in gone]
        changed[file.batch] = kept
    for file in added:
        changed[file.batch] = sorted(
            [*changed.get(file.batch, ()), file], key=lambda other: other.path
        )
    return {name: changed[name] for name in sorted(changed) if changed[name]}
