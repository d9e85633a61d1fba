"""Base class of the datasets of this project."""

from __future__ import annotations

from typing import Any, TypeVar

from kedro.io.core import AbstractDataset

from fruits_pipeline.io.files import resolve

In = TypeVar("In")
Out = TypeVar("Out")


class PathDataset(AbstractDataset[In, Out]):
    """A dataset that is stored at one path.

    Args:
        filepath: Path or URL of the file or folder.
        metadata: Ignored; used by Kedro-Viz.
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        self.filepath = filepath
        self.metadata = metadata

    def _exists(self) -> bool:
        file_system, path = resolve(self.filepath)
        return bool(file_system.exists(path))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self.filepath}
