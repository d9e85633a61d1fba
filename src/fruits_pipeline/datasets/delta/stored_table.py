"""The dataset that describes a table and its files, whether damaged or not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from deltalake.exceptions import TableNotFoundError
from kedro_datasets._typing import ImagePreview, TablePreview

from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.errors import translate_delta_errors
from fruits_pipeline.datasets.delta.files import DATA_FILE_NAME, DataFile, list_sizes
from fruits_pipeline.datasets.delta.integrity import inspect_files
from fruits_pipeline.datasets.delta.tables import open_table
from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.datasets.previews.tables import table_preview
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import Recipe
from fruits_pipeline.spark.inspection import Sample


@dataclass(frozen=True)
class StoredTable:
    """A table: what its log states, and the files that are stored.

    Attributes:
        name: Name of the table, such as `photos`.
        location: Path or URL of the table.
        schema: Expected schema of the files.
        sizes: Size in bytes of each stored file, by relative path.
        problem: Why the table cannot be read; None if it can.
        table_id: Id of the table; None if it cannot be read.
        recipe: Recipe of the rows.
        source_ids: Build ids of the sources of the rows.
        columns: Names of the columns, without `batch`.
        files: The files that the log lists.
    """

    name: str
    location: str
    schema: pa.Schema
    sizes: Mapping[str, int]
    problem: str | None = None
    table_id: str | None = None
    recipe: Recipe = field(default_factory=dict)
    source_ids: Sequence[str | None] = ()
    columns: Sequence[str] = ()
    files: Sequence[DataFile] = ()

    @property
    def exists(self) -> bool:
        """Whether there is a table that can be read."""
        return self.table_id is not None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(file.rows for file in self.files)

    @property
    def errors(self) -> int:
        """Number of rows with an error."""
        return sum(file.errors for file in self.files)

    def batches(self) -> Mapping[str, Sequence[DataFile]]:
        """Return the files of each batch."""
        found: dict[str, list[DataFile]] = {}
        for file in self.files:
            found.setdefault(file.batch, []).append(file)
        return found

    def unlisted(self) -> Sequence[str]:
        """Return the stored data files that the log does not list."""
        listed = {file.path for file in self.files}
        return [
            p for p in self.sizes if DATA_FILE_NAME.fullmatch(p) and p not in listed
        ]

    def foreign(self) -> Sequence[str]:
        """Return the stored files that this project does not write."""
        known = re.compile(r"_delta_log/.*|" + DATA_FILE_NAME.pattern)
        return [path for path in self.sizes if not known.fullmatch(path)]

    def inspect(
        self, files: Sequence[DataFile], sample: Sample
    ) -> list[dict[str, Any]]:
        """Read files on Spark's workers; return an `INSPECTION` row for each."""
        return inspect_files(self.location, [file.path for file in files], sample)


class TableState(PathDataset[None, StoredTable]):
    """A table and its files, whether damaged or not.

    Args:
        filepath: Path or URL of the table.
        table: Name of the schema in `schemas`, lower case: "photos", "images", ...
        metadata: Ignored; used by Kedro-Viz.
    """

    def __init__(
        self, *, filepath: str, table: str, metadata: dict[str, Any] | None = None
    ) -> None:
        location = re.sub(r"(?<!:)/{2,}", "/", filepath)
        super().__init__(filepath=location, metadata=metadata)
        self.table = table
        self.schema: pa.Schema = getattr(schemas, table.upper())

    @property
    def preview(self) -> Callable[[], ImagePreview] | Callable[[], TablePreview]:
        """Function that previews the table in Kedro-Viz."""
        return table_preview(self.filepath, self.table)

    def load(self) -> StoredTable:
        """Return the state of the table; damage is not an error."""
        table, sizes = (self.table, self.filepath, self.schema), {}
        try:
            sizes = list_sizes(self.filepath)
            log = open_table(self.filepath)
            with translate_delta_errors(self.filepath):
                return StoredTable(
                    *table,
                    sizes=sizes,
                    table_id=log.table_id,
                    recipe=log.recipe,
                    source_ids=log.source_ids,
                    columns=[name for name in log.columns if name != "batch"],
                    files=log.files,
                )
        except TableNotFoundError:
            return StoredTable(*table, sizes=sizes)
        except (FruitsError, OSError) as exc:
            return StoredTable(*table, sizes=sizes, problem=str(exc))

    def save(self, data: None) -> None:
        """Do nothing: the entry is read-only."""
