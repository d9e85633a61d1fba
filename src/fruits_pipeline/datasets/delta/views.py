"""Read-only datasets of a Delta table: all rows, row counts, and the photo listing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from kedro_datasets._typing import TablePreview
from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.dataset import DeltaDataset
from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.photo_hashes import hash_ids
from fruits_pipeline.datasets.delta.tables import check_sizes_once, open_log
from fruits_pipeline.datasets.photo_listing import work_folder
from fruits_pipeline.datasets.previews.tables import counts_preview
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.io.sorted_runs import SortedRuns
from fruits_pipeline.lineage import Lineage, RemovedContent
from fruits_pipeline.spark.active import spark_session
from fruits_pipeline.spark.tables import from_table

View = TypeVar("View")


class DeltaView(DeltaDataset[None, View]):
    """A view of a table, which cannot be saved."""

    def save(self, data: None) -> None:
        """Raise a `FruitsError`: only `DeltaBatches` writes tables."""
        raise FruitsError(
            f"Found data to save in {self.filepath}; expected `{self.table}@batches` as "
            "the output of the node, because this catalog entry is read-only."
        )


class DeltaSpark(DeltaView[DataFrame]):
    """All rows as a Spark DataFrame, with the column `batch`.

    Args:
        filepath: Path or URL of the table.
        table: Name of the schema in `schemas`, lower case: "photos", "images", ...
        with_content: Whether to leave out the files with photos whose content was removed.
        metadata: Ignored; used by Kedro-Viz.
    """

    _frame: tuple[str, SparkSession, DataFrame] | None = None

    def __init__(
        self,
        *,
        filepath: str,
        table: str,
        with_content: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, table=table, metadata=metadata)
        self.with_content = with_content

    def load(self) -> DataFrame:
        """Return all rows, lazily. Spark lists the files of a version only once.

        Raises:
            FruitsError: There is no table, or a file is missing or truncated.
        """
        log, session = self._load_log(), spark_session()
        if self._frame is None or self._frame[:2] != (log.version_id, session):
            files = log.files
            if self.with_content:
                files = [file for file in files if not file.without_content]
            paths = [file.path for file in files]
            frame = from_table(self.filepath, paths, self.schema)
            self._frame = log.version_id, session, frame
        return self._frame[2]


class DeltaPandas(DeltaView[pd.DataFrame]):
    """All rows as a pandas DataFrame, read without Spark."""

    def load(self) -> pd.DataFrame:
        """Return all rows, with the column `batch`.

        Raises:
            FruitsError: There is no table, or a file is missing or truncated.
        """
        return self._load_log().to_pandas(self.schema)


class DeltaCounts(DeltaView[pd.DataFrame]):
    """Row counts by batch, from the log: no rows are read."""

    @property
    def preview(self) -> Callable[[], TablePreview]:
        """Function that previews the row counts in Kedro-Viz."""
        return counts_preview(self.filepath)

    def load(self) -> pd.DataFrame:
        """Return `batch`, `photos`, and `rejected` (the number of rows with an error).

        Raises:
            FruitsError: There is no table, or a file is missing or truncated.
        """
        files = self._load_log().files
        rows = [(file.batch, file.photos, file.errors) for file in files]
        counts = pd.DataFrame(rows, columns=["batch", "photos", "rejected"])
        return counts.groupby("batch", as_index=False).sum()


class DeltaNewBatches(DeltaView[list[str]]):
    """Names of the batches that the last run with new photos has added."""

    def load(self) -> list[str]:
        """Return the names, sorted.

        Raises:
            FruitsError: There is no table, or a file is missing or truncated.
        """
        return self._load_log().new_batches


@dataclass(frozen=True)
class ExistingPhotos:
    """Content of the table `photos` before a run.

    Attributes:
        read: Returns the `INGESTED` rows of all photos, in several tables.
        last_batch: Highest batch number ever used; 0 if there was no batch.
    """

    read: Callable[[], Iterable[pa.Table]]
    last_batch: int

    @cached_property
    def runs(self) -> SortedRuns:
        """The `INGESTED` rows, to be joined with others by path. Read when first used."""
        runs = SortedRuns(schemas.INGESTED, work_folder)
        for table in self.read():
            runs.add(table)
        return runs


class DeltaListing(DeltaView[ExistingPhotos]):
    """The files of the ingested photos, from the table `photos`.

    Args:
        filepath: Path or URL of the table.
        table: `photos`.
        removed_content: Whether to `keep` photos whose content was removed, or `read` them
            again.
        metadata: Ignored; used by Kedro-Viz.

    Attributes:
        lineage: Lineage of the rows that the run will save in this table, if any.
    """

    def __init__(
        self,
        *,
        filepath: str,
        table: str,
        removed_content: RemovedContent = "keep",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, table=table, metadata=metadata)
        self.removed_content = removed_content
        self.lineage: Lineage | None = None

    def load(self) -> ExistingPhotos:
        """Return the files; none if there is no table, or it will be rebuilt.

        Raises:
            FruitsError: A file of the table is missing or truncated.
        """
        log = open_log(self.filepath)
        if log is None or (self.lineage and self.lineage.recipe != log.recipe):
            return ExistingPhotos(tuple, 0)
        check_sizes_once(log)
        reads_again = self.removed_content == "read"
        read = partial(_read_listing, log, reads_again)
        return ExistingPhotos(read, log.last_batch)


def _read_listing(log: DeltaLog, reads_again: bool) -> Iterator[pa.Table]:
    """Yield the `INGESTED` rows of each batch.

    Args:
        log: The table `photos`.
        reads_again: Whether photos whose content was removed have the size -1, so that
            they count as changed.
    """
    for name, files in log.batches.items():
        removed = [file for file in files if reads_again and file.without_content]
        kept = [file for file in files if file not in removed]
        yield _read_files(log, name, kept)
        if removed:
            rows = _read_files(log, name, removed)
            position = rows.schema.get_field_index("size_bytes")
            sizes = pa.array([-1] * len(rows), pa.int64())
            yield rows.set_column(position, rows.schema.field(position), sizes)


def _read_files(log: DeltaLog, batch: str, files: Sequence[DataFile]) -> pa.Table:
    errors = [name for name in log.columns if name == "error"]  # not in older versions
    rows = log.read(files, [*ListedFile._fields, "photo_id", *errors])
    columns = {name: rows[name] for name in ListedFile._fields}
    photo_ids = rows["photo_id"]
    if errors:
        photo_ids = pc.if_else(rows["error"].is_null(), photo_ids, None)
    columns["id_hash"] = pa.array(hash_ids(photo_ids))
    columns["batch"] = pa.array([batch] * len(rows), pa.string())
    return pa.table(columns, schema=schemas.INGESTED)
