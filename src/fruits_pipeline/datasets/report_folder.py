"""The dataset of the folder with all reports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from kedro_datasets._typing import TablePreview

from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.datasets.previews.results import preview_or_reason, text_table
from fruits_pipeline.datasets.previews.rows import rows_preview, size_text
from fruits_pipeline.io.files import read_file, resolve
from fruits_pipeline.reporting.report_files import report_problem

STATES_FILE = "report_states.json"
"""Report with the digests of others."""


class ReportFolder(PathDataset[None, Mapping[str, str | None]]):
    """The folder of reports. Loading finds damaged files."""

    def load(self) -> Mapping[str, str | None]:
        """Return why each file cannot be read, by name; None for a readable file."""
        file_system, base = resolve(self.filepath)
        file_system.invalidate_cache()
        if not file_system.exists(base):
            return {}
        paths = (str(path).rstrip("/") for path in file_system.ls(base, detail=False))
        names = (path.rpartition("/")[2] for path in paths)
        written = self._written()
        return {
            name: file_problem(f"{self.filepath}/{name}", written.get(name))
            for name in names
        }

    def _written(self) -> Mapping[str, str]:
        """Return the digests of the files that a run wrote, as far as it has stored them."""
        try:
            states = json.loads(read_file(f"{self.filepath}/{STATES_FILE}"))
            files = [state["files"] for state in states.values()]
            return {name: digest for state in files for name, digest in state.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}  # reported as damage of that file, if it exists

    def preview(self) -> TablePreview:
        """Return names and sizes of the files for Kedro-Viz."""
        return preview_or_reason(self._list, text_table, "`kedro run`")

    def _list(self) -> TablePreview:
        file_system, base = resolve(self.filepath)
        found = file_system.ls(base, detail=True, refresh=True)
        file_system.invalidate_cache()  # other datasets ask whether their file exists
        files = sorted((str(entry["name"]), entry["size"] or 0) for entry in found)
        return rows_preview(
            [
                {"file": name.rpartition("/")[2], "size": size_text(size)}
                for name, size in files
            ]
        )

    def save(self, data: None) -> None:
        """Do nothing: the entry is read-only."""


def file_problem(path: str, written: str | None) -> str | None:
    """Return why a report is damaged; None if it is not.

    Args:
        path: Path or URL of the file.
        written: Digest of what a run has written; None if it is unknown.
    """
    try:
        content = read_file(path)
    except OSError as exc:
        return f"not a readable file ({exc.strerror or exc})"
    problem = report_problem(path.rpartition("/")[2], content)
    if problem is None and written not in (None, sha256(content).hexdigest()):
        return "other content than a run has written"
    return problem


def file_digest(path: str) -> str | None:
    """Return the SHA-256 of a file; None if it cannot be read."""
    try:
        return sha256(read_file(path)).hexdigest()
    except OSError:
        return None
