"""Find photos of low quality, and count the measures of all photos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

BINS = 40
"""Number of bars of a histogram."""

MEASURE_OF = {
    "dark": "brightness",
    "bright": "brightness",
    "low_contrast": "contrast",
    "blurred": "sharpness",
    "grey": "saturation",
    "tiny": "shorter_side",
    "odd_aspect": "aspect_ratio",
}
"""The measure of each issue."""

_TOO_HIGH = ("bright", "odd_aspect")
"""Issues of a measure above its limit; the others are below theirs."""

_RANGES = {
    "brightness": (0, 1),
    "contrast": (0, 0.5),
    "sharpness": (0, 2),
    "saturation": (0, 1),
    "shorter_side": (0, 1024),
    "aspect_ratio": (1, 4),
}
"""Range of the histogram of each measure. Values outside count in the first or last bar."""


def add_shape(quality: pd.DataFrame) -> pd.DataFrame:
    """Add `shorter_side` (pixels) and `aspect_ratio` (1 or more) of original photos."""
    sides = quality[["width", "height"]]
    shorter, longer = sides.min(axis=1), sides.max(axis=1)
    return quality.assign(
        shorter_side=shorter, aspect_ratio=longer / shorter.clip(lower=1)
    )


def find_issues(
    quality: pd.DataFrame, limits: Mapping[str, float], listed: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Find photos with a measure beyond its limit.

    Args:
        quality: Result of `add_shape`.
        limits: Limit of the measure of each issue.
        listed: Maximum number of listed photos of each issue.

    Returns:
        `path, label, issue, value, threshold`, the worst photos of an issue first, in the
        order of `limits`; and the number of all photos with each issue.
    """
    tables, counts = [], {}
    for issue, limit in limits.items():
        values, sign = quality[MEASURE_OF[issue]], -1 if issue in _TOO_HIGH else 1
        found = quality[sign * values < sign * limit]
        counts[issue] = len(found)
        rows = found[["path", "label"]].assign(
            issue=issue, value=values[found.index], threshold=float(limit)
        )
        order = (sign * rows["value"]).sort_values(kind="stable").index
        tables.append(rows.loc[order[:listed]])
    return pd.concat(tables, ignore_index=True), counts


def count_measures(quality: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the histogram of each measure: bin `edges` and `counts`."""
    histograms = {}
    for name, ends in _RANGES.items():
        values = quality[name].to_numpy(float).clip(*ends)
        counts, edges = np.histogram(values, BINS, ends)
        rounded = [round(edge, 6) for edge in edges.tolist()]
        histograms[name] = {"edges": rounded, "counts": counts.tolist()}
    return histograms
