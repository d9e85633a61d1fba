"""What all datasets of a table have in common."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import pyarrow as pa
from kedro.io.core import AbstractDataset

from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.opening import existing_log, open_log
from fruits_pipeline.lineage import Recipe

In = TypeVar("In")
Out = TypeVar("Out")


class DeltaDataset(AbstractDataset[In, Out]):
    """The newest version of a Delta table.

    Args:
        filepath: Path or URL of the table.
        table: Name of the schema in `schemas`, lower case: "photos", "images", ...
        metadata: For Kedro-Viz.
    """

    # Kedro's ParallelRunner forks, which a running Spark session does not survive.
    _SINGLE_PROCESS = True

    def __init__(
        self, *, filepath: str, table: str, metadata: dict[str, Any] | None = None
    ) -> None:
        self.filepath = re.sub(r"(?<!:)/{2,}", "/", filepath)
        self.table = table
        self.schema: pa.Schema = getattr(schemas, table.upper())
        self.metadata = metadata
        self._loaded: str | None = None

    def identity(self) -> str | None:
        """Return the id of the table that was loaded, else of the stored one."""
        if self._loaded:
            return self._loaded
        log = open_log(self.filepath)
        return log.identity if log else None

    def origin(self) -> list[str | None]:
        """Return the identities of the sources of the stored rows."""
        log = open_log(self.filepath)
        return log.origin if log else []

    def _existing(self) -> DeltaLog:
        """Return the table, to load it."""
        log = existing_log(self.filepath)
        self._loaded = log.identity
        return log

    def state(self) -> str | None:
        """Return the id and version of the table, None before it exists."""
        log = open_log(self.filepath)
        return log.state if log else None

    def recipe(self) -> Recipe:
        """Return the recipe of the stored rows."""
        log = open_log(self.filepath)
        return log.recipe if log else {}

    def _exists(self) -> bool:
        log = open_log(self.filepath)
        return bool(log and log.batches)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self.filepath}
