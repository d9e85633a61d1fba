"""Count photos by label, split and series, and compare new with earlier photos."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

MEASURES = ("brightness", "contrast", "sharpness", "saturation")
_GROUPS = ["label", "split", "series"]


def count_coverage(
    chunks: Iterable[pd.DataFrame], new_batches: Collection[str]
) -> pd.DataFrame:
    """Count photos and new photos by label, split and series.

    Args:
        chunks: `label, split, series, batch` of each photo, in several tables.
        new_batches: Names of the batches with new photos.

    Returns:
        `label, split, series, photos, new_photos`, sorted; photos without label first.
    """
    counts = pd.DataFrame(columns=[*_GROUPS, "photos", "new_photos"])
    for photos in chunks:
        is_new = photos["batch"].isin([*new_batches]).astype(int)
        rows = photos[_GROUPS].assign(photos=1, new_photos=is_new)
        counts = _add_groups(counts, rows, _GROUPS)
    return counts.sort_values(_GROUPS, na_position="first", ignore_index=True)


def _add_groups(
    sums: pd.DataFrame, rows: pd.DataFrame, groups: list[str]
) -> pd.DataFrame:
    """Add the other columns of rows to the sums of their groups."""
    tables = [table for table in (sums, rows) if len(table)] or [sums]
    by_group = pd.concat(tables).groupby(groups, dropna=False, as_index=False)
    return by_group.sum()


def compare_batches(
    chunks: Iterable[pd.DataFrame],
    means: pd.DataFrame,
    variance: float,
    new_batches: Collection[str],
) -> dict[str, Any]:
    """Compare the photos of new batches with those of earlier batches.

    Args:
        chunks: `label, batch` and the measures of each photo, in several tables.
        means: `batch`, `n` and `mean` (of the features) of each batch.
        variance: Sum of the variances of the features.
        new_batches: Names of the batches with new photos.

    Returns:
        Counts of photos, also by label; the mean of each measure; and `mean_distance`,
        the distance of the mean features, divided by the square root of `variance`. Means
        are None if there are no new or no earlier photos.
    """
    labels = _sum_labels(chunks, new_batches)
    totals = labels.drop(columns="label").groupby("part").sum()
    totals = totals.reindex(["new", "earlier"], fill_value=0)
    return {
        "new_batches": sorted(new_batches),
        "new_photos": int(totals["photos"]["new"]),
        "earlier_photos": int(totals["photos"]["earlier"]),
        "labels": [*_label_counts(labels)],
        "measures": {
            measure: {
                part: round(float(sums[measure] / sums["photos"]), 6)
                if sums["photos"]
                else None
                for part, sums in totals.iterrows()
            }
            for measure in MEASURES
        },
        "mean_distance": _mean_distance(means, variance, new_batches),
    }


def _sum_labels(
    chunks: Iterable[pd.DataFrame], new_batches: Collection[str]
) -> pd.DataFrame:
    """Return photos and sums of the measures by `label` and `part`, new or earlier."""
    sums = pd.DataFrame(columns=["label", "part", "photos", *MEASURES])
    for quality in chunks:
        is_new = quality["batch"].isin([*new_batches])
        measures = quality[[*MEASURES]].astype(float)
        rows = measures.assign(
            label=quality["label"],
            part=np.where(is_new, "new", "earlier"),
            photos=1,
        )
        sums = _add_groups(sums, rows[sums.columns], ["label", "part"])
    return sums


def _label_counts(sums: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the photos of each label; the label with most new photos first."""
    counts = sums.pivot_table("photos", "label", "part", "sum", 0, dropna=False)
    counts = counts.reindex(columns=["new", "earlier"], fill_value=0)
    for label, new, old in counts.sort_values("new", ascending=False).itertuples():
        name = None if pd.isna(label) else label
        yield {"label": name, "new": int(new), "earlier": int(old)}


def _mean_distance(
    means: pd.DataFrame, variance: float, new_batches: Collection[str]
) -> float | None:
    is_new = means["batch"].isin([*new_batches])
    parts = [part[part["n"] > 0] for part in (means[is_new], means[~is_new])]
    if not all(map(len, parts)) or variance <= 0:
        return None
    new, earlier = (
        np.average(np.stack([*part["mean"]]), axis=0, weights=part["n"])
        for part in parts
    )
    return round(float(np.linalg.norm(new - earlier) / np.sqrt(variance)), 4)
