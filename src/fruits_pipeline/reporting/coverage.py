"""Count photos by label, split and series, and compare new with earlier photos."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

MEASURES = ("brightness", "contrast", "sharpness", "saturation")
_GROUPS = ["label", "split", "series"]


def count_coverage(photos: pd.DataFrame, new_batches: Collection[str]) -> pd.DataFrame:
    """Count photos and new photos by label, split and series.

    Args:
        photos: `label, split, series, batch` of each photo.
        new_batches: Names of the batches with new photos.

    Returns:
        `label, split, series, photos, new_photos`, sorted; photos without label first.
    """
    new = photos["batch"].isin([*new_batches]).astype(int)
    groups = new.groupby([photos[name] for name in _GROUPS], dropna=False)
    counts = groups.agg(photos="size", new_photos="sum").reset_index()
    return counts.sort_values(_GROUPS, na_position="first", ignore_index=True)


def compare_batches(
    quality: pd.DataFrame,
    means: Mapping[str, np.ndarray],
    variance: float,
    new_batches: Collection[str],
) -> dict[str, Any]:
    """Compare the photos of new batches with those of earlier batches.

    Args:
        quality: `label, batch` and the measures of each photo.
        means: Mean of the features of the `new` and of the `earlier` photos; empty if
            there are none.
        variance: Sum of the variances of the features.
        new_batches: Names of the batches with new photos.

    Returns:
        Counts of photos, also by label; the mean of each measure; and `mean_distance`,
        the distance of the mean features, divided by the square root of `variance`. Means
        are None if there are no new or no earlier photos.
    """
    is_new = quality["batch"].isin([*new_batches])
    parts = {"new": quality[is_new], "earlier": quality[~is_new]}
    labels = pd.DataFrame(
        {name: part["label"].value_counts(dropna=False) for name, part in parts.items()}
    )
    counts = labels.fillna(0).astype(int).sort_values("new", ascending=False)
    return {
        "new_batches": sorted(new_batches),
        "new_photos": len(parts["new"]),
        "earlier_photos": len(parts["earlier"]),
        "labels": [
            {
                "label": None if pd.isna(label) else label,
                "new": int(new),
                "earlier": int(old),
            }
            for label, new, old in counts[["new", "earlier"]].itertuples()
        ],
        "measures": {
            measure: {name: _mean(part[measure]) for name, part in parts.items()}
            for measure in MEASURES
        },
        "mean_distance": _mean_distance(means["new"], means["earlier"], variance),
    }


def _mean(values: pd.Series) -> float | None:
    return round(float(values.mean()), 6) if len(values) else None


def _mean_distance(
    new: np.ndarray, earlier: np.ndarray, variance: float
) -> float | None:
    if not len(new) or not len(earlier) or variance <= 0:
        return None
    return round(float(np.linalg.norm(new - earlier) / np.sqrt(variance)), 4)
