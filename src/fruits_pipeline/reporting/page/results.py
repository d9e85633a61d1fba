"""The results that the page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from fruits_pipeline.reporting.page.sprites import data_uri

TABLES = {
    "label_counts": {"label", "split", "photos", "rejected"},
    "rejects": {"path", "error"},
    "near_duplicates": {"path", "other_path", "similarity", "across_splits"},
    "suspect_labels": {"path", "suggested_label", "neighbour_1"},
    "outliers": {"path", "label", "distance"},
    "atlas": {"path", "label", "row", "column"},
    "quality_issues": {"path", "issue", "value", "threshold"},
    "coverage": {"label", "split", "series", "photos", "new_photos"},
    "thumbnails": {"path", "thumbnail"},
    "answers": {"path", "label", "answer", "probability", "rank", "nearest_path"},
    "answer_thumbnails": {"path", "thumbnail"},
}
"""Tables, and columns without which a table is of an older version, and not shown."""

FILES = {
    "run_summary": {"photos", "files", "left_out"},
    "exploration": {"explored", "compared", "duplicate_pairs", "leakage"},
    "quality_histograms": {"photos", "issues", "measures"},
    "batch_changes": {"new_photos", "labels", "measures"},
    "evaluation": {"accuracy", "threshold", "by_label"},
    "variance_curve": {"data"},
    "photo_map": {"data"},
}
"""JSON files, and keys without which a file is of an older version, and not shown."""

PICTURES = ("reject_sheet",)
"""PNG files."""


@dataclass(frozen=True)
class Results:
    """Results by name of the catalog entry, without missing and older ones.

    Attributes:
        values: Tables, dictionaries (also of figures), and `reject_sheet` as a PNG.
        root: Path or URL of the root.
        shown: `report.examples_shown`.
        limits: `report.quality`, the limits of the measures.
        training_splits: `classify.training_splits`.
        outdated: Whether the classifier was trained with an earlier PCA.
    """

    values: Mapping[str, Any]
    root: str
    shown: int
    limits: Mapping[str, float]
    training_splits: Sequence[str]
    outdated: bool = False

    def __getitem__(self, name: str) -> Any:
        """Return a result."""
        return self.values[name]

    def has(self, *names: str) -> bool:
        """Return whether all of these results exist and have the needed content."""
        return all(self._is_complete(name) for name in names)

    def _is_complete(self, name: str) -> bool:
        value = self.values.get(name)
        if isinstance(value, pd.DataFrame):
            return TABLES.get(name, set()) <= {*value.columns}
        if name in FILES:
            return isinstance(value, Mapping) and FILES[name] <= value.keys()
        return value is not None

    @cached_property
    def thumbnails(self) -> dict[str, bytes]:
        """Thumbnail of each path."""
        tables = [self[n] for n in ("thumbnails", "answer_thumbnails") if self.has(n)]
        pairs = (zip(t["path"], t["thumbnail"], strict=True) for t in tables)
        return {path: thumbnail for rows in pairs for path, thumbnail in rows}

    def picture(self, path: Any) -> str | None:
        """Return the URI of a thumbnail; None if there is none."""
        thumbnail = self.thumbnails.get(path) if isinstance(path, str) else None
        return data_uri(thumbnail) if thumbnail else None

    @cached_property
    def reports(self) -> str:
        """Path or URL of the folder of reports."""
        return f"{self.root}/08_reporting"
