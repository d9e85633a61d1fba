"""The dataset of a table of results that is one Parquet file."""

from __future__ import annotations

import pyarrow.parquet as pq
from kedro.io.core import get_filepath_str
from kedro_datasets._typing import TablePreview
from kedro_datasets.pandas import ParquetDataset

from fruits_pipeline.datasets.previews.results import preview_or_reason, text_table
from fruits_pipeline.datasets.previews.rows import ROWS, rows_preview


class ParquetReport(ParquetDataset):  # type: ignore[misc]
    """A Parquet file with results."""

    def preview(self) -> TablePreview:
        """Return the first rows for Kedro-Viz."""
        return preview_or_reason(self._first_rows, text_table, "a run")

    def _first_rows(self) -> TablePreview:
        path = get_filepath_str(self._get_load_path(), self._protocol)
        with self._fs.open(path, "rb") as file:
            batches = pq.ParquetFile(file).iter_batches(ROWS)
            first = next(batches, None)
            return rows_preview(first.to_pylist() if first else [])
