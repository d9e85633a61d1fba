"""Read-only views of a table: for nodes that need all rows, notebooks and Kedro-Viz."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline.datasets.delta.dataset import DeltaDataset
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.opening import open_log
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import Lineage
from fruits_pipeline.spark import frames

View = TypeVar("View")


class _DeltaView(DeltaDataset[None, View]):
    """View of a table, which cannot be saved."""

    def save(self, data: None) -> None:
        """Refuse to save: only batches are written."""
        raise FruitsError(
            f"Found data to save in {self.filepath}; expected `{self.table}@batches` as "
            "the output of the node, as this entry is a view."
        )


class DeltaSpark(_DeltaView[DataFrame]):
    """The whole table as a Spark DataFrame, with the column `batch`."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._frame: tuple[str, SparkSession, DataFrame] | None = None

    def load(self) -> DataFrame:
        """Return all rows, lazily; Spark lists the files of a version once.

        Raises:
            FruitsError: There is no table, or files of it are missing.
        """
        log, session = self._existing(), SparkSession.builder.getOrCreate()
        if self._frame is None or self._frame[:2] != (log.state, session):
            paths = [file.path for file in log.files]
            frame = frames.from_table(self.filepath, paths, self.schema)
            self._frame = log.state, session, frame
        return self._frame[2]


class DeltaPandas(_DeltaView[pd.DataFrame]):
    """The whole table as a pandas DataFrame, read without Spark."""

    def load(self) -> pd.DataFrame:
        """Return all rows, with the column `batch`.

        Raises:
            FruitsError: There is no table, or files of it are missing.
        """
        return self._existing().to_pandas()


class DeltaCounts(_DeltaView[pd.DataFrame]):
    """Row counts of the batches, from the log: no rows are read."""

    def load(self) -> pd.DataFrame:
        """Return `batch`, `photos` and `rejected` (rows with an error), by batch.

        Raises:
            FruitsError: There is no table, or files of it are missing.
        """
        log = self._existing()
        rows = [(f.batch, f.photos, f.errors) for f in log.files]
        counts = pd.DataFrame(rows, columns=["batch", "photos", "rejected"])
        return counts.groupby("batch", as_index=False).sum()


@dataclass(frozen=True)
class ExistingPhotos:
    """What the table of photos contains before a run.

    Attributes:
        files: `path`, `size_bytes`, `modified_at` and `etag` of every photo.
        last_batch: Highest number that a batch ever had, 0 if there was none.
    """

    files: pa.Table
    last_batch: int


class DeltaListing(_DeltaView[ExistingPhotos]):
    """The listing of the photos that are in the table, empty before it exists."""

    COLUMNS = ("path", "size_bytes", "modified_at", "etag")

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.lineage: Lineage | None = None

    def load(self) -> ExistingPhotos:
        """Return what is there; nothing if the table will be rebuilt.

        Raises:
            FruitsError: Files of the table are missing.
        """
        log = open_log(self.filepath)
        if log is None or self._will_be_rebuilt(log):
            empty = pa.schema([self.schema.field(name) for name in self.COLUMNS])
            return ExistingPhotos(empty.empty_table(), 0)
        log = self._existing()
        return ExistingPhotos(log.read(log.files, self.COLUMNS), log.last_batch)

    def _will_be_rebuilt(self, log: DeltaLog) -> bool:
        return self.lineage is not None and log.recipe != self.lineage.recipe
