"""What datasets of one file have in common."""

from __future__ import annotations

from typing import Any, TypeVar

from fsspec.core import url_to_fs
from kedro.io.core import AbstractDataset

In = TypeVar("In")
Out = TypeVar("Out")


class StoredFile(AbstractDataset[In, Out]):
    """A file, here or in a bucket; what is in it is for the dataset to say.

    Args:
        filepath: File or URL.
        metadata: For Kedro-Viz.
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        self.filepath = filepath
        self.metadata = metadata

    def read(self) -> bytes | None:
        """Return what is in the file, or None where there is none."""
        file_system, path = url_to_fs(self.filepath)
        try:
            content: bytes = file_system.cat_file(path)
        except FileNotFoundError:
            return None
        return content

    def _exists(self) -> bool:
        file_system, path = url_to_fs(self.filepath)
        return bool(file_system.exists(path))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self.filepath}
