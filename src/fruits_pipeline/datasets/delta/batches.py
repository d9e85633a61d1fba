"""The dataset that writes a Delta table batch by batch."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from pyspark.sql import DataFrame

from fruits_pipeline.datasets.delta.batch_saving import BatchSaver, SavedRows
from fruits_pipeline.datasets.delta.comparison import (
    UpstreamDifference,
    compare_with_upstream,
)
from fruits_pipeline.datasets.delta.dataset import DeltaDataset
from fruits_pipeline.datasets.delta.errors import concurrent_run_error
from fruits_pipeline.datasets.delta.gone import remove_gone
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.photo_changes import PhotoChanges
from fruits_pipeline.datasets.delta.recipe_changes import (
    RecipeSettings,
    upgrade_recipe,
)
from fruits_pipeline.datasets.delta.repair import remove_damaged, restore_if_damaged
from fruits_pipeline.datasets.delta.retention import check_content
from fruits_pipeline.datasets.delta.tables import (
    check_sizes_once,
    create_table,
    open_existing_log,
    open_log,
)
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.lineage import (
    ChangedLocation,
    ChangedRecipe,
    Lineage,
    RemovedContent,
)
from fruits_pipeline.spark import frames
from fruits_pipeline.spark.batches import Batches

logger = logging.getLogger(__name__)


REUSED = ("images", "features")
"""Tables whose rows are expensive to compute, and depend on the bytes of a photo only."""


class DeltaBatches(DeltaDataset[Batches | PhotoChanges, Batches]):
    """The batches of a Delta table. Saving computes and commits missing batches.

    Saving also deletes rows that no longer exist in the upstream table, and computes
    batches again that differ from their upstream batch. So the table has one row for each
    upstream row without an error. Rows of photos that the table contains already, under
    any path, are copied. The table `photos` has no upstream table; there, a new row
    replaces the older row of the same `path`, and rows of gone photos are deleted.

    Before a run, call `check` and then `prepare` with the lineage of the new rows.

    Args:
        filepath: Path or URL of the table.
        table: Name of the schema in `schemas`, lower case: "photos", "images", ...
        changed_recipe: Whether to `refuse` another recipe, or `rebuild` the table.
        changed_location: Whether to `refuse` or `accept` another location of the photos.
        removed_content: Whether the run will `read` photos again whose content was removed.
        metadata: Ignored; used by Kedro-Viz.

    Attributes:
        mends: Whether the run repairs the table. Then damaged files are removed from it
            before the run, and new rows of `photos` belong to existing batches.
        lineage: Lineage of the rows to save.
        saved: Rows that this run has saved.
    """

    def __init__(  # noqa: PLR0913 - settings of one table
        self,
        *,
        filepath: str,
        table: str,
        changed_recipe: ChangedRecipe = "refuse",
        changed_location: ChangedLocation = "refuse",
        removed_content: RemovedContent = "keep",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, table=table, metadata=metadata)
        self.changed_recipe = changed_recipe
        self.changed_location = changed_location
        self.removed_content = removed_content
        self._is_photos = table == "photos"  # without an upstream table
        self.mends = False
        self.lineage = Lineage()
        self.saved = SavedRows()
        self._is_prepared = False
        self._prepared_version: str | None = None
        self._writer: TableWriter | None = None

    def check(self, lineage: Lineage) -> None:
        """Raise if rows of this lineage must not be saved. Changes nothing.

        Raises:
            FruitsError: The recipe changed, a file is missing or truncated, or the folder
                contains files of another program.
        """
        if log := open_log(self.filepath):
            upstream = _upstream_table(lineage)
            upstream_log = open_log(upstream.filepath) if upstream else None
            settings = RecipeSettings(
                "refuse" if self.mends else self.changed_recipe,
                self.changed_location,
                self.removed_content,
            )
            is_rebuilt = settings.check(log, self.table, lineage, upstream_log)
            if not self.mends and not is_rebuilt:
                check_sizes_once(log)

    def prepare(self, lineage: Lineage) -> None:
        """Set a lineage that `check` accepts, and apply the settings for changes.

        From now on, saving fails if another run has changed the table.
        """
        self.lineage = lineage
        self._loaded_id = self.loaded_version = None
        self.saved = SavedRows()
        if log := open_log(self.filepath):
            accepts = self.changed_location == "accept"
            upgrade_recipe(log, self.schema, lineage, accepts)
            if self.mends:
                remove_damaged(log, self.schema)
        self._is_prepared, self._prepared_version = True, self.fingerprint()

    def restore(self, lineage: Lineage, table_id: str | None) -> None:
        """Write the log again if it is lost or damaged.

        If only a checkpoint is damaged, the log is read without it.

        Args:
            lineage: Lineage of the rows.
            table_id: Id of the table according to the tables that were computed from it;
                None if there is none.

        Raises:
            FruitsError: The storage is not reachable, or contains another table.
        """
        restore_if_damaged(
            self.filepath, self.schema, lineage, table_id, is_photos=self._is_photos
        )

    def check_unchanged(self) -> None:
        """Raise if another run has changed the table since this run prepared or saved it.

        Raises:
            FruitsError: The stored table has another version.
        """
        version = self._prepared_version
        if self._writer:
            version = self._writer.log.version_id
        if self._is_prepared and self.fingerprint() != version:
            raise concurrent_run_error(self.filepath)

    @contextmanager
    def changing(self) -> Iterator[TableWriter]:
        """Yield a writer for changes that later tables need not follow.

        Raises:
            FruitsError: There is no table, or another run has changed it since `prepare`.
        """
        self.check_unchanged()
        writer = self._writer = TableWriter(open_existing_log(self.filepath))
        yield writer
        writer.finish()
        self._writer, self._prepared_version = None, writer.log.version_id

    def _exists(self) -> bool:
        """Return whether the table is complete, for `kedro run --only-missing-outputs`."""
        log, upstream = open_log(self.filepath), _upstream_table(self.lineage)
        if log is None or not log.batches:
            return False
        if upstream is None:
            return True
        upstream_log = open_log(upstream.filepath)
        if upstream_log is None or log.source_ids != self.lineage.source_ids():
            return False
        difference = compare_with_upstream(log, upstream_log)
        return difference == UpstreamDifference() and {*upstream_log.batches} == {
            *log.batches
        }

    def load(self) -> Batches:
        """Return the batches of the table.

        Raises:
            FruitsError: There is no table, or a file is missing or truncated.
        """
        return {
            name: partial(self._load_files, [file.path for file in files])
            for name, files in self._load_log().batches.items()
        }

    def _load_files(self, paths: Sequence[str]) -> DataFrame:
        absolute = [f"{self.filepath}/{path}" for path in paths]
        return frames.from_files(absolute, self.schema)

    def save(self, data: Batches | PhotoChanges) -> None:
        """Delete rows that no longer exist upstream, then write missing batches.

        Several Spark jobs run concurrently. Each batch is one commit. Rows of gone photos
        are deleted at the end.

        Raises:
            FruitsError: Another run writes to the table, or too many photos are gone.
        """
        changes = data if isinstance(data, PhotoChanges) else PhotoChanges(data)
        saved = self.saved = SavedRows(listed=changes.listed)
        writer = self._writer = self._open_writer()
        self._check_names(changes.new, writer.log)
        saver = BatchSaver(self.table, self.schema, writer, self._upstream_log(), saved)
        saver.follow_upstream()
        deleted = saver.delete_extra_rows()
        missing = self._select_missing(changes.new, writer.log, deleted)
        if missing:
            if saver.upstream:
                check_content(saver.upstream, self.table, missing)
            writer.claim()
        if self.table in REUSED:
            missing = saver.reuse(missing, deleted, self._photos_table().saved.listed)
        saver.write(missing)
        saved.removed = remove_gone(writer, changes.gone, saved.listed, self.schema)
        writer.finish()
        if missing:
            self.lineage.check_sources()
        self._writer, self._prepared_version = None, writer.log.version_id

    def _check_names(self, new: Batches, log: DeltaLog) -> None:
        """Raise if new batches of `photos` exist: another run has added batches."""
        is_new = self._is_photos and not self.mends
        if is_new and new.keys() & log.batches.keys():
            raise concurrent_run_error(self.filepath)

    def _select_missing(
        self, batches: Batches, log: DeltaLog, deleted: UpstreamDifference
    ) -> Batches:
        if self.mends and self._is_photos:
            return batches
        return {
            name: load
            for name, load in batches.items()
            if name in deleted.stale_batches or name not in log.batches
        }

    def _open_writer(self) -> TableWriter:
        """Create or rebuild the table if necessary, and return its writer.

        Raises:
            FruitsError: Another run has changed the table since `prepare`, or rebuilt a
                source.
        """
        log = open_log(self.filepath)
        self.check_unchanged()
        self.lineage.check_sources()
        recipe, source_ids = self.lineage.recipe, self.lineage.source_ids()
        if log and log.recipe == recipe and log.source_ids == source_ids:
            return TableWriter(log)
        if log:
            if upstream := self._upstream_log():
                check_content(upstream, self.table, upstream.batches)
            logger.info("%s: recipe or sources changed, rebuilding", self.table)
        return create_table(self.filepath, self.schema, recipe, source_ids, log)

    def _photos_table(self) -> DeltaBatches:
        """Return the table that all rows were computed from, directly or not."""
        table = _upstream_table(self.lineage)
        return table._photos_table() if table else self

    def _upstream_log(self) -> DeltaLog | None:
        table = _upstream_table(self.lineage)
        if table is None:
            return None
        log = open_log(table.filepath)
        if log and table.loaded_version not in {None, log.version_id}:
            raise concurrent_run_error(table.filepath)
        return log


def _upstream_table(lineage: Lineage) -> DeltaBatches | None:
    return next((s for s in lineage.sources if isinstance(s, DeltaBatches)), None)
