"""Count photos by label, split and series, and compare new with earlier photos."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

MEASURES = ("brightness", "contrast", "sharpness", "saturation")
GROUPS = ("label", "split", "series")


def group_photos(
    chunks: Iterable[pd.DataFrame], new_batches: Collection[str]
) -> pd.DataFrame:
    """Count photos and sum their measures by label, split, series and whether new.

    Args:
        chunks: `label, split, series, batch` and the measures of each photo, in several
            tables.
        new_batches: Names of the batches with new photos.

    Returns:
        `label, split, series, new` (Boolean), `photos`, and the sum of each measure.
    """
    keys = [*GROUPS, "new"]
    sums = pd.DataFrame(columns=[*keys, "photos", *MEASURES])
    for photos in chunks:
        measures = photos[[*MEASURES]].astype(float)
        is_new = photos["batch"].isin([*new_batches])
        rows = photos[[*GROUPS]].assign(new=is_new, photos=1, **measures)
        tables = [table for table in (sums, rows) if len(table)] or [sums]
        sums = pd.concat(tables).groupby(keys, dropna=False, as_index=False).sum()
    return sums


def count_coverage(groups: pd.DataFrame) -> pd.DataFrame:
    """Count photos and new photos by label, split and series.

    Args:
        groups: Result of `group_photos`.

    Returns:
        `label, split, series, photos, new_photos`, sorted; photos without label first.
    """
    numbers = groups.assign(new_photos=groups["photos"].where(groups["new"], 0))
    sums = numbers.groupby([*GROUPS], dropna=False)[["photos", "new_photos"]].sum()
    counts = sums.astype(int).reset_index()
    return counts.sort_values([*GROUPS], na_position="first", ignore_index=True)


def compare_batches(
    groups: pd.DataFrame,
    means: Mapping[str, np.ndarray],
    variance: float,
    new_batches: Collection[str],
) -> dict[str, Any]:
    """Compare the photos of new batches with those of earlier batches.

    Args:
        groups: Result of `group_photos`.
        means: Mean of the features of the `new` and of the `earlier` photos; empty if
            there are none.
        variance: Sum of the variances of the features.
        new_batches: Names of the batches with new photos.

    Returns:
        Counts of photos, also by label; the mean of each measure; and `mean_distance`,
        the distance of the mean features, divided by the square root of `variance`. Means
        are None if there are no new or no earlier photos.
    """
    is_new = groups["new"].astype(bool)
    parts = {"new": groups[is_new], "earlier": groups[~is_new]}
    labels = pd.DataFrame(
        {
            name: part.groupby("label", dropna=False)["photos"].sum()
            for name, part in parts.items()
        }
    )
    counts = labels.fillna(0).astype(int).sort_values("new", ascending=False)
    return {
        "new_batches": sorted(new_batches),
        "new_photos": int(parts["new"]["photos"].sum()),
        "earlier_photos": int(parts["earlier"]["photos"].sum()),
        "labels": [
            {
                "label": None if pd.isna(label) else label,
                "new": int(new),
                "earlier": int(old),
            }
            for label, new, old in counts[["new", "earlier"]].itertuples()
        ],
        "measures": {
            measure: {name: _mean(part, measure) for name, part in parts.items()}
            for measure in MEASURES
        },
        "mean_distance": _mean_distance(means["new"], means["earlier"], variance),
    }


def _mean(groups: pd.DataFrame, measure: str) -> float | None:
    photos = groups["photos"].sum()
    return round(float(groups[measure].sum() / photos), 6) if photos else None


def _mean_distance(
    new: np.ndarray, earlier: np.ndarray, variance: float
) -> float | None:
    if not len(new) or not len(earlier) or variance <= 0:
        return None
    return round(float(np.linalg.norm(new - earlier) / np.sqrt(variance)), 4)
