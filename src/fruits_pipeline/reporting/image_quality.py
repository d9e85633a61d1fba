"""Find photos of low quality, and count the measures of all photos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


_NO_ISSUES = pd.DataFrame(columns=["path", "label", "issue", "value", "threshold"])


def add_shape(quality: pd.DataFrame) -> pd.DataFrame:
    """Add `shorter_side` (pixels) and `aspect_ratio` (1 or more) of original photos."""
    sides = quality[["width", "height"]]
    shorter, longer = sides.min(axis=1), sides.max(axis=1)
    return quality.assign(
        shorter_side=shorter, aspect_ratio=longer / shorter.clip(lower=1)
    )


def find_issues(
    chunks: Iterable[pd.DataFrame], limits: Mapping[str, float], listed: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Find photos with a measure beyond its limit.

    Args:
        chunks: Results of `add_shape`.
        limits: Limit of the measure of each issue.
        listed: Maximum number of listed photos of each issue.

    Returns:
        `path, label, issue, value, threshold`, the worst photos of an issue first, in the
        order of `limits`; and the number of all photos with each issue.
    """
    counts = dict.fromkeys(limits, 0)
    worst: dict[str, pd.DataFrame] = {}
    for quality in chunks:
        for issue, limit in limits.items():
            rows = _find_issue(quality, issue, float(limit))
            counts[issue] += len(rows)
            if len(rows) and listed:
                known = [worst[issue]] if issue in worst else []
                worst[issue] = _worst([*known, rows], issue, listed)
    tables = [worst[issue] for issue in limits if issue in worst]
    return pd.concat(tables or [_NO_ISSUES], ignore_index=True), counts


def _find_issue(quality: pd.DataFrame, issue: str, limit: float) -> pd.DataFrame:
    values = quality[MEASURE_OF[issue]]
    is_found = values > limit if issue in _TOO_HIGH else values < limit
    return quality.loc[is_found, ["path", "label"]].assign(
        issue=issue, value=values[is_found], threshold=limit
    )


def _worst(tables: Sequence[pd.DataFrame], issue: str, listed: int) -> pd.DataFrame:
    rows = pd.concat(tables, ignore_index=True)
    is_low_worse = issue not in _TOO_HIGH
    return rows.sort_values("value", kind="stable", ascending=is_low_worse)[:listed]


def count_measures(chunks: Iterable[pd.DataFrame]) -> dict[str, dict[str, Any]]:
    """Return the histogram of each measure: bin `edges` and `counts`.

    Args:
        chunks: Results of `add_shape`.
    """
    counts = {name: np.zeros(BINS, int) for name in _RANGES}
    for quality in chunks:
        for name, ends in _RANGES.items():
            values = quality[name].to_numpy(float).clip(*ends)
            counts[name] += np.histogram(values, BINS, ends)[0]
    edges = {n: np.linspace(*ends, BINS + 1).round(6) for n, ends in _RANGES.items()}
    return {
        name: {"edges": edges[name].tolist(), "counts": counts[name].tolist()}
        for name in _RANGES
    }
