"""The dataset of a JSON file with an object."""

from __future__ import annotations

import json
from typing import Any

from kedro_datasets._typing import TablePreview

from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.datasets.previews.results import preview_or_reason, text_table
from fruits_pipeline.datasets.previews.rows import object_preview
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import read_file, write_atomically


class JsonFile(PathDataset[dict[str, Any], dict[str, Any]]):
    """A JSON file with an object, such as a report.

    Args:
        filepath: Path or URL of the file.
        command: Command that writes the file, for messages.
        metadata: Ignored; used by Kedro-Viz.
    """

    def __init__(
        self,
        *,
        filepath: str,
        command: str = "kedro run",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        self.command = command

    def load(self) -> dict[str, Any]:
        """Return the object.

        Raises:
            FruitsError: The file is missing or damaged.
        """
        try:
            content = json.loads(read_file(self.filepath))
        except FileNotFoundError as exc:
            raise self._error("no file") from exc
        except ValueError as exc:
            raise self._error(f"no JSON ({exc})") from exc
        if not isinstance(content, dict):
            raise self._error(f"a {type(content).__name__}")
        return content

    def save(self, data: dict[str, Any]) -> None:
        """Write the object atomically."""
        text = json.dumps(data, indent=2, ensure_ascii=False)
        write_atomically(self.filepath, f"{text}\n".encode(errors="surrogateescape"))

    def preview(self) -> TablePreview:
        """Return names and values for Kedro-Viz."""
        return preview_or_reason(self._table, text_table, f"`{self.command}`")

    def _table(self) -> TablePreview:
        return object_preview(self.load())

    def _error(self, found: str) -> FruitsError:
        return FruitsError(
            f"Found {found} in {self.filepath}; expected a JSON object. Write it again "
            f"with `{self.command}` and the same --params."
        )
