"""The dataset that writes a Delta table batch by batch."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from pyspark.sql import DataFrame

from fruits_pipeline.datasets.delta.dataset import DeltaDataset
from fruits_pipeline.datasets.delta.errors import concurrent_run_error
from fruits_pipeline.datasets.delta.integrity import remove_damaged
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.saving import (
    commit_batch,
    delete_extra_rows,
    select_readable,
    write_batch,
)
from fruits_pipeline.datasets.delta.tables import (
    add_missing_columns,
    check_sizes_once,
    create_table,
    open_log,
    set_recipe,
)
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.lineage import (
    ChangedLocation,
    ChangedRecipe,
    DamagedBatches,
    Lineage,
    check_recipe,
    only_location_changed,
)
from fruits_pipeline.spark import frames
from fruits_pipeline.spark.batches import Batches
from fruits_pipeline.spark.jobs import write_concurrently
from fruits_pipeline.spark.progress import track

logger = logging.getLogger(__name__)


class DeltaBatches(DeltaDataset[Batches, Batches]):
    """The batches of a Delta table. Saving computes and commits missing batches.

    Saving also deletes rows that no longer exist in the upstream table, and computes
    batches again that differ from their upstream batch. So the table has one row for each
    upstream row without an error. The table `photos` has no upstream table; there, a new
    row replaces the older row of the same `path`.

    Before a run, call `check` and then `prepare` with the lineage of the new rows.

    Args:
        filepath: Path or URL of the table.
        table: Name of the schema in `schemas`, lower case: "photos", "images", ...
        changed_recipe: Whether to `refuse` another recipe, or `rebuild` the table.
        changed_location: Whether to `refuse` or `accept` another location of the photos.
        damaged_batches: Whether to `refuse` to read batches with missing or truncated
            files, or `recompute` them.
        metadata: Ignored; used by Kedro-Viz.

    Attributes:
        lineage: Lineage of the rows to save.
        written: Names of the batches that this run has written, sorted.
        photos_written: Number of photos in these batches.
    """

    def __init__(  # noqa: PLR0913 - settings of one table
        self,
        *,
        filepath: str,
        table: str,
        changed_recipe: ChangedRecipe = "refuse",
        changed_location: ChangedLocation = "refuse",
        damaged_batches: DamagedBatches = "refuse",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, table=table, metadata=metadata)
        self.changed_recipe = changed_recipe
        self.changed_location = changed_location
        self.damaged_batches = damaged_batches
        self._is_photos = table == "photos"  # without an upstream table
        self.lineage = Lineage()
        self.written: tuple[str, ...] = ()
        self.photos_written = 0

    def check(self, lineage: Lineage) -> None:
        """Raise if rows of this lineage must not be saved. Changes nothing.

        Raises:
            FruitsError: The recipe changed, a file is missing or truncated, or the folder
                contains files of another program.
        """
        log = open_log(self.filepath)
        if log is None:
            return
        settings = self.changed_recipe, self.changed_location
        check_recipe(self.filepath, log.recipe, lineage.recipe, *settings)
        is_rebuilt = self.changed_recipe == "rebuild" and log.recipe != lineage.recipe
        if self.damaged_batches == "refuse" and not is_rebuilt:
            check_sizes_once(log)

    def prepare(self, lineage: Lineage) -> None:
        """Set a lineage that `check` accepts, and apply the settings for changes."""
        self.lineage, self._loaded_id = lineage, None
        self.written, self.photos_written = (), 0
        log = open_log(self.filepath)
        if log is None:
            return
        add_missing_columns(log, self.schema)
        is_moved = only_location_changed(log.recipe, lineage.recipe)
        if self.changed_location == "accept" and is_moved:
            set_recipe(log, lineage.recipe)
        if self.damaged_batches == "recompute":
            # `photos` keeps the intact files of a damaged batch: their photos might no
            # longer exist in the photo root.
            removed = remove_damaged(log, with_batches=not self._is_photos)
            if removed:
                logger.warning("%s: removed %d files to recompute", self.table, removed)

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

    def save(self, data: Batches) -> None:
        """Delete rows that no longer exist upstream, then write missing batches.

        Several Spark jobs run concurrently. Each batch is one commit.

        Raises:
            FruitsError: Another run writes to the table.
        """
        writer = self._open_writer()
        if self._is_photos and data.keys() & writer.log.batches.keys():
            # New batches have new numbers, unless another run has added batches.
            raise concurrent_run_error(self.filepath)
        upstream = self._upstream_log()
        stale = delete_extra_rows(writer, upstream, self.schema) if upstream else set()
        missing = {
            name: load
            for name, load in data.items()
            if name in stale or name not in writer.log.batches
        }
        if missing:
            writer.claim()
        self._write_missing(writer, missing, upstream)
        writer.finish()

    def _write_missing(
        self, writer: TableWriter, missing: Batches, upstream: DeltaLog | None
    ) -> None:
        self.written, self.photos_written = (), 0
        write = partial(write_batch, self.filepath, self.schema)
        with track(self.table, len(missing)) as advance:
            written = write_concurrently(write, missing)
            readable = select_readable(writer, written) if self._is_photos else written
            for name, files in readable:
                commit_batch(writer, name, files, upstream, self.schema)
                photos = sum(file.photos for file in files)
                self.written = tuple(sorted((*self.written, name)))
                self.photos_written += photos
                advance(photos)

    def _open_writer(self) -> TableWriter:
        """Create or rebuild the table if necessary, and return its writer."""
        log = open_log(self.filepath)
        recipe, source_ids = self.lineage.recipe, self.lineage.source_ids()
        if log and log.recipe == recipe and log.source_ids == source_ids:
            return TableWriter(log)
        if log:
            logger.info("%s: recipe or sources changed, rebuilding", self.table)
        return create_table(self.filepath, self.schema, recipe, source_ids, log)

    def _upstream_log(self) -> DeltaLog | None:
        sources = self.lineage.sources
        table = next((s for s in sources if isinstance(s, DeltaBatches)), None)
        if table is None:
            return None
        log = open_log(table.filepath)
        if log and table.build_id() != log.table_id:  # rebuilt after it was loaded
            raise concurrent_run_error(table.filepath)
        return log
