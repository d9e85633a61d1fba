"""A table of the pipeline: a Delta table that follows its upstream table."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.dataset import DeltaDataset
from fruits_pipeline.datasets.delta.errors import overtaken
from fruits_pipeline.datasets.delta.files import StoredFile, stored_file
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.opening import create_log, existing_log, open_log
from fruits_pipeline.datasets.delta.rows import follow, replace_rows
from fruits_pipeline.lineage import (
    ChangedLocation,
    ChangedRecipe,
    DamagedBatches,
    Lineage,
    check_recipe,
    only_moved,
)
from fruits_pipeline.spark import frames
from fruits_pipeline.spark.frames import Batches
from fruits_pipeline.spark.jobs import side_by_side
from fruits_pipeline.spark.progress import track

logger = logging.getLogger(__name__)

Written = tuple[str, list[StoredFile]]
"""Name of a batch, and the files that were written for it."""


class DeltaBatches(DeltaDataset[Batches, Batches]):
    """Batches of a Delta table; saving writes those that are missing.

    Saving also deletes rows whose photo is no longer upstream, and computes batches again
    that do not match their upstream batch. So the table always has one row for each
    photo upstream (without the rejected ones, in tables after `images`). The table of
    photos has no table upstream: there, a new row replaces the older one of its path.

    A recipe that changed is refused or rebuilds the table; see `lineage`.

    Args:
        filepath: Path or URL of the table.
        table: Name of the schema in `schemas`, lower case: "photos", "images", ...
        changed_recipe: Whether to `refuse` another recipe, or `rebuild` the table.
        changed_location: Whether to `refuse` or `accept` another location of the photos.
        damaged_batches: Whether to `refuse` to read batches with missing or cut off
            files, or `recompute` them.
        metadata: For Kedro-Viz.
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
        self.lineage = Lineage()
        self.written: tuple[str, ...] = ()
        self.photos_written = 0

    def check(self, lineage: Lineage) -> None:
        """Check, before a run computes anything, that its rows may be written.

        Args:
            lineage: Lineage of the rows that will be saved.

        Raises:
            FruitsError: The recipe changed, files are missing or cut off, or the folder
                contains something else.
        """
        log = open_log(self.filepath)
        if log is None:
            return
        settings = (self.changed_recipe, self.changed_location)
        check_recipe(self.filepath, log.recipe, lineage.recipe, *settings)
        rebuilt = log.recipe != lineage.recipe and self.changed_recipe == "rebuild"
        if not rebuilt and self.damaged_batches == "refuse":
            existing_log(self.filepath)

    def prepare(self, lineage: Lineage) -> None:
        """Prepare the table for rows of another lineage, or without damaged batches.

        Args:
            lineage: Lineage of the rows that will be saved.

        Raises:
            FruitsError: As `check`.
        """
        self.check(lineage)
        self.lineage, self._loaded = lineage, None
        self.written, self.photos_written = (), 0
        log = open_log(self.filepath)
        if log is None:
            return
        if self.changed_location == "accept" and only_moved(log.recipe, lineage.recipe):
            log.set_recipe(lineage.recipe)
        if self.damaged_batches == "recompute":
            self._drop_damaged(log)

    def _drop_damaged(self, log: DeltaLog) -> None:
        """Remove damaged batches; of photos only the files, as others may be gone."""
        damaged = [file for file, _ in log.damaged(read=True)]
        if not damaged:
            return
        if not self._is_first:
            names = {file.batch for file in damaged}
            damaged = [file for file in log.files if file.batch in names]
        logger.warning("%s: computing %d files again", self.table, len(damaged))
        log.claim()
        log.commit(removed=damaged)

    @property
    def _is_first(self) -> bool:
        """Whether this is the table of photos, which has no table upstream."""
        return self.schema is schemas.PHOTOS

    def load(self) -> Batches:
        """Return the batches of the table.

        Raises:
            FruitsError: There is no table, or files of it are missing.
        """
        log = self._existing()
        return {
            name: partial(self._frame, [file.path for file in files])
            for name, files in log.batches.items()
        }

    def _frame(self, files: Sequence[str]) -> DataFrame:
        places = [f"{self.filepath}/{file}" for file in files]
        return frames.from_files(places, self.schema)

    def save(self, data: Batches) -> None:
        """Delete rows that are no longer upstream, then write missing batches.

        Several Spark jobs run at a time, and each batch is one commit.

        Raises:
            FruitsError: Another run writes to the table.
        """
        log = self._log()
        if self._is_first and data.keys() & log.batches.keys():
            raise overtaken(self.filepath)  # another run has taken the numbers
        upstream = self._upstream()
        stale = self._follow(log, upstream) if upstream else set()
        missing = {
            name: load
            for name, load in data.items()
            if name in stale or name not in log.batches
        }
        if missing:
            log.claim()
        self.written, self.photos_written = (), 0
        with track(self.table, len(missing)) as advance:
            for name, files in side_by_side(self._write, missing):
                photos = sum(file.photos for file in files)
                if photos or not self._is_first:
                    self._commit(log, name, files, upstream)
                    self.written = tuple(sorted((*self.written, name)))
                    self.photos_written += photos
                else:
                    logger.warning(
                        "%s: photos listed for %s are gone", self.table, name
                    )
                advance(photos)
        log.finish()

    def _write(self, name: str, load: Callable[[], DataFrame]) -> Written:
        folder = f"{self.filepath}/batch={name}"
        reports = frames.write(load(), folder, self.schema)
        return name, [stored_file(name, report) for report in reports]

    def _commit(
        self,
        log: DeltaLog,
        name: str,
        files: Sequence[StoredFile],
        upstream: DeltaLog | None,
    ) -> None:
        """Add a batch, and remove what it replaces, in one commit."""
        if upstream:
            log.commit(files, log.batches.get(name, ()), upstream=upstream.state)
        else:
            older = replace_rows(log, files, self.schema)
            log.commit([*files, *older.added], older.removed)

    def _describe(self) -> dict[str, Any]:
        return super()._describe() | {"changed_recipe": self.changed_recipe}

    def _log(self) -> DeltaLog:
        """Return the table, created or rebuilt if it has another lineage."""
        log = open_log(self.filepath)
        recipe, origin = self.lineage.recipe, self.lineage.origin()
        if log and log.recipe == recipe and log.origin == origin:
            return log
        if log:
            logger.info("%s: rebuilt", self.table)
        return create_log(self.filepath, self.schema, recipe, origin)

    def _upstream(self) -> DeltaLog | None:
        tables = (s for s in self.lineage.sources if isinstance(s, DeltaBatches))
        table = next(tables, None)
        if table is None:
            return None
        log = open_log(table.filepath)
        if log and table.identity() != log.identity:  # rebuilt since it was loaded
            raise overtaken(table.filepath)
        return log

    def _follow(self, log: DeltaLog, upstream: DeltaLog) -> set[str]:
        """Delete rows that are no longer upstream; return batches to compute again."""
        changes = follow(log, upstream, self.schema)
        if changes.removed:
            log.claim()
            log.commit(changes.added, changes.removed, upstream=upstream.state)
        return changes.stale
