"""The dataset of a small table for people, who open it in a spreadsheet program."""

from __future__ import annotations

import hashlib

import pandas as pd
from kedro.io.core import get_filepath_str
from kedro_datasets._typing import TablePreview
from kedro_datasets.pandas import CSVDataset

from fruits_pipeline.datasets.previews.results import preview_or_reason, text_table
from fruits_pipeline.datasets.previews.rows import ROWS, frame_preview
from fruits_pipeline.reporting.spreadsheets import escape_formulas, unescape_formulas


class CsvReport(CSVDataset):  # type: ignore[misc]
    """A CSV file in which no text is a formula. Text is escaped with `'`."""

    def fingerprint(self) -> str | None:
        """Return a digest of the file; None if there is none."""
        path = get_filepath_str(self._filepath, self._protocol)
        exists = self._fs.exists(path)
        return hashlib.sha256(self._fs.cat_file(path)).hexdigest() if exists else None

    def load(self) -> pd.DataFrame:
        """Return the table, with its original text."""
        return unescape_formulas(super().load())

    def save(self, data: pd.DataFrame) -> None:
        """Write the table."""
        super().save(escape_formulas(data))

    def preview(self, nrows: int = ROWS) -> TablePreview:
        """Return the first rows for Kedro-Viz."""

        def rows() -> TablePreview:
            return frame_preview(self.load().head(nrows))

        return preview_or_reason(rows, text_table, "a run")
