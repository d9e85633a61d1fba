"""Find photos whose label is probably wrong, and photos that differ from their label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fruits_pipeline.models.neighbours import Neighbours, photo_groups

SHOWN = 3
"""Number of neighbours that a suspect label is compared with."""

MIN_PHOTOS = 5
"""Smallest label whose outliers are searched: the typical distance needs some photos."""


def find_suspects(photos: pd.DataFrame, neighbours: Neighbours) -> pd.DataFrame:
    """Find photos whose label is probably wrong.

    No neighbour of such a photo has its label, and the nearest three have the same other
    label. Neighbours of one series count once, as long as there are others. Neighbours
    without a label are ignored.

    Args:
        photos: `path`, `label` and `series` of each photo.
        neighbours: Neighbours of each photo.

    Returns:
        `path, label, suggested_label, similarity` (mean of the three) and their paths
        `neighbour_1` to `neighbour_3`; the most similar first.
    """
    labels, _ = pd.factorize(photos["label"])
    groups = photo_groups(photos, ["label", "series"])
    near = labels[neighbours.positions]
    differs = (labels >= 0) & (near != labels[:, np.newaxis]).all(axis=1)
    rows = []
    for i in np.flatnonzero(differs):
        labelled = np.flatnonzero(near[i] >= 0)
        chosen = labelled[_first_of_groups(groups[neighbours.positions[i, labelled]])]
        if len(chosen) == SHOWN and len({*near[i, chosen]}) == 1:
            similarity = neighbours.similarities[i, chosen].mean()
            rows.append((i, similarity, *neighbours.positions[i, chosen]))
    return _suspect_table(photos, np.array(rows, float).reshape(-1, 2 + SHOWN))


def _first_of_groups(groups: np.ndarray) -> Sequence[int]:
    """Return the first three positions with different groups, then any others."""
    _, first = np.unique(groups, return_index=True)
    others = np.setdiff1d(np.arange(len(groups)), first)
    return sorted([*np.sort(first), *others][:SHOWN])


def _suspect_table(photos: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    rows = rows[np.argsort(-rows[:, 1], kind="stable")]
    positions = rows[:, [0, *range(2, 2 + SHOWN)]].astype(int)
    paths, labels = (photos[c].to_numpy(object) for c in ("path", "label"))
    own, first = positions[:, 0], positions[:, 1]
    columns = {
        "path": paths[own],
        "label": labels[own],
        "suggested_label": labels[first],
        "similarity": rows[:, 1],
    }
    named = {f"neighbour_{j}": paths[positions[:, j]] for j in range(1, SHOWN + 1)}
    return pd.DataFrame(columns | named)


def find_outliers(
    photos: pd.DataFrame, vectors: np.ndarray, min_distance: float
) -> pd.DataFrame:
    """Find photos that differ from the other photos of their label.

    Args:
        photos: `path` and `label` of each photo.
        vectors: Unit vectors, `float32 [n, d]`.
        min_distance: Smallest distance of an outlier from the mean of its label, as a
            multiple of the median distance of the label.

    Returns:
        `path, label, distance`, the most distant first. None of labels with fewer than
        `MIN_PHOTOS` photos, and none without a label.
    """
    distances = np.zeros(len(photos))
    for positions in photos.groupby("label").indices.values():
        if len(positions) >= MIN_PHOTOS:
            own = vectors[positions]
            from_mean = np.linalg.norm(own - own.mean(axis=0), axis=1)
            typical = np.median(from_mean)
            if typical > np.finfo(np.float32).eps:
                distances[positions] = from_mean / typical
    found = photos[["path", "label"]].assign(distance=distances)
    found = found[distances >= min_distance]
    return found.sort_values("distance", ascending=False, ignore_index=True)
