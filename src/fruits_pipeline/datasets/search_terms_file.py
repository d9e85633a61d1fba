"""The dataset of what an erasure searches for."""

from __future__ import annotations

from kedro_datasets._typing import TablePreview

from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.datasets.previews.results import preview_or_reason, text_table
from fruits_pipeline.datasets.previews.rows import object_preview
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import read_file, write_atomically
from fruits_pipeline.io.search_terms import SearchTerms


class SearchTermsFile(PathDataset[SearchTerms, SearchTerms | None]):
    """A JSON file with ids, paths and samples. It exists until an erasure is complete."""

    def load(self) -> SearchTerms | None:
        """Return the terms of an erasure that has begun; None if there is no file.

        Raises:
            FruitsError: The file is damaged.
        """
        try:
            content = read_file(self.filepath)
        except FileNotFoundError:
            return None
        try:
            return SearchTerms.from_json(content)
        except (LookupError, ValueError, TypeError, AttributeError) as exc:
            raise FruitsError(
                f"Found {self.filepath} damaged ({exc}); expected what an interrupted "
                "erasure searches for. Delete the file, and repeat `kedro forget` with the "
                "same arguments as before."
            ) from exc

    def save(self, data: SearchTerms) -> None:
        """Write the terms atomically."""
        write_atomically(self.filepath, data.to_json())

    def preview(self) -> TablePreview:
        """Return whether an erasure has begun, for Kedro-Viz."""
        return preview_or_reason(self._table, text_table, "`kedro forget`")

    def _table(self) -> TablePreview:
        return object_preview({"erasure that is not complete": self.load() is not None})
