"""Base class of the datasets of a Delta table."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.tables import open_existing_log, open_log
from fruits_pipeline.datasets.path_dataset import In, Out, PathDataset
from fruits_pipeline.lineage import Recipe


class DeltaDataset(PathDataset[In, Out]):
    """The newest version of a Delta table.

    Args:
        filepath: Path or URL of the table.
        table: Name of the schema in `schemas`, lower case: "photos", "images", ...
        metadata: Ignored; used by Kedro-Viz.
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
        self._loaded_id: str | None = None

    def build_id(self) -> str | None:
        """Return the id of the table that was loaded, else of the stored table."""
        if self._loaded_id:
            return self._loaded_id
        log = open_log(self.filepath)
        return log.table_id if log else None

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
        """Return the newest version of the table, and remember its id."""
        log = open_existing_log(self.filepath)
        self._loaded_id = log.table_id
        return log

    def _exists(self) -> bool:
        log = open_log(self.filepath)
        return bool(log and log.batches)
