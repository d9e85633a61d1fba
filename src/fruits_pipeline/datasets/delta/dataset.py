"""Base class of the datasets of a Delta table."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from kedro_datasets._typing import ImagePreview, TablePreview

from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.errors import concurrent_run_error
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.tables import open_existing_log, open_log
from fruits_pipeline.datasets.path_dataset import In, Out, PathDataset
from fruits_pipeline.datasets.previews.tables import table_preview
from fruits_pipeline.lineage import Recipe


class DeltaDataset(PathDataset[In, Out]):
    """The newest version of a Delta table.

    Args:
        filepath: Path or URL of the table.
        table: Name of the schema in `schemas`, lower case: "photos", "images", ...
        metadata: Ignored; used by Kedro-Viz.

    Attributes:
        loaded_version: Id and version of the table that was loaded last, if any.
    """

    # Kedro's ParallelRunner forks, which a running Spark session does not survive.
    _SINGLE_PROCESS = True

    def __init__(
        self, *, filepath: str, table: str, metadata: dict[str, Any] | None = None
    ) -> None:
        without_double_slashes = re.sub(r"(?<!:)/{2,}", "/", filepath)
        super().__init__(filepath=without_double_slashes, metadata=metadata)
        self.table = table
        self.schema: pa.Schema = getattr(schemas, table.upper())
        self.loaded_version: str | None = None
        self._loaded_id: str | None = None
        self._is_pinned = False

    @property
    def preview(self) -> Callable[[], ImagePreview] | Callable[[], TablePreview]:
        """Function that previews the table in Kedro-Viz."""
        return table_preview(self.filepath, self.table)

    def build_id(self) -> str | None:
        """Return the id of the table that was loaded, else of the stored table."""
        if self._loaded_id:
            return self._loaded_id
        log = open_log(self.filepath)
        return log.table_id if log else None

    def pin(self) -> None:
        """Load no other table until the end of the run, if another run rebuilds it."""
        log = open_log(self.filepath)
        self._loaded_id, self._is_pinned = (log.table_id if log else None), True

    def check_current(self) -> None:
        """Raise if another run has rebuilt the table since it was loaded.

        Raises:
            FruitsError: The stored table has another id.
        """
        if self._loaded_id:
            log = open_log(self.filepath)
            if log is None or log.table_id != self._loaded_id:
                raise concurrent_run_error(self.filepath)

    def fingerprint(self) -> str | None:
        """Return the id and version of the table; None if there is no table."""
        log = open_log(self.filepath)
        return log.version_id if log else None

    def recipe(self) -> Recipe:
        """Return the recipe of the stored rows."""
        log = open_log(self.filepath)
        return log.recipe if log else {}

    def source_ids(self) -> list[str | None]:
        """Return the build ids of the sources of the stored rows."""
        log = open_log(self.filepath)
        return log.source_ids if log else []

    def _load_log(self) -> DeltaLog:
        """Return the newest version of the table, and remember its id.

        Raises:
            FruitsError: There is no table, a file is missing or truncated, or another run
                has rebuilt the table since `pin`.
        """
        log = open_existing_log(self.filepath)
        if self._is_pinned and log.table_id != self._loaded_id:
            raise concurrent_run_error(self.filepath)
        self._loaded_id, self.loaded_version = log.table_id, log.version_id
        return log

    def _exists(self) -> bool:
        log = open_log(self.filepath)
        return bool(log and log.batches)
