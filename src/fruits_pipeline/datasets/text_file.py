"""The dataset of a text file."""

from __future__ import annotations

from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.io.files import read_file, write_atomically


class TextFile(PathDataset[str, str]):
    """A text file in UTF-8, such as a page."""

    def load(self) -> str:
        """Return the text."""
        return read_file(self.filepath).decode()

    def save(self, data: str) -> None:
        """Write the text atomically."""
        write_atomically(self.filepath, data.encode())
