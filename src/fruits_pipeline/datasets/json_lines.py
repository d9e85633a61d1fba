"""The dataset of a file with one JSON object per line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.io.files import read_file, write_atomically

MAX_LINES = 1000
"""Number of newest lines that are kept, of about a kilobyte each."""


class JsonLines(PathDataset[list[dict[str, Any]], list[dict[str, Any]]]):
    """A file of the newest objects, the oldest first. It is replaced atomically."""

    def load(self) -> list[dict[str, Any]]:
        """Return the objects; none if there is no file. Damaged lines are ignored."""
        try:
            content = read_file(self.filepath)
        except FileNotFoundError:
            return []
        return [*_parse(content.decode(errors="replace"))]

    def save(self, data: list[dict[str, Any]]) -> None:
        """Write the newest objects."""
        lines = [json.dumps(entry) for entry in data[-MAX_LINES:]]
        write_atomically(self.filepath, "".join(f"{x}\n" for x in lines).encode())


def _parse(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry
