"""Compare photos by the cosine similarity of their components.

Vectors are unit vectors, so that a product of two is their similarity. A photo whose
components are all 0 has the similarity 0 to every photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

SHOWN = 3
"""Number of neighbours that a suspect label is compared with."""

MIN_PHOTOS = 5
"""Smallest label whose outliers are searched: the typical distance needs some photos."""


_BLOCK = 256  # rows per product
_GROUP = 32  # values of which only the maximum is compared first
_MAX_CANDIDATES = 4  # times the neighbours; more are ties


@dataclass(frozen=True)
class Neighbours:
    """The nearest neighbours of n photos, the most similar first.

    Attributes:
        positions: Their positions, `int64 [n, k]`; k is less than requested if there are
            not enough photos.
        similarities: Their similarities, `float32 [n, k]`.
    """

    positions: np.ndarray
    similarities: np.ndarray


def unit_vectors(components: np.ndarray) -> np.ndarray:
    """Return vectors of length 1, `float32 [n, d]`; zero vectors stay zero."""
    vectors = np.asarray(components, np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: np.ndarray = vectors / np.where(lengths > 0, lengths, 1)
    return scaled


def find_neighbours(vectors: np.ndarray, count: int) -> Neighbours:
    """Return up to `count` neighbours of each photo, without the photo itself.

    Args:
        vectors: Unit vectors, `float32 [n, d]`.
        count: Number of neighbours.
    """
    n = len(vectors)
    found = min(count, max(0, n - 1))
    blocks = [np.empty((0, found), np.int64)]
    with threadpool_limits(1):  # threads wait for each other if other processes run
        for start in range(0, n if found else 0, _BLOCK):
            products = vectors[start : start + _BLOCK] @ vectors.T
            own = np.arange(len(products))
            products[own, start + own] = -np.inf
            blocks.append(_highest(products, found))
    positions = np.concatenate(blocks) if found else np.empty((n, 0), np.int64)
    similarities = np.einsum("nd,nkd->nk", vectors, vectors[positions])
    order = np.argsort(-similarities, axis=1, kind="stable")
    return Neighbours(
        np.take_along_axis(positions, order, axis=1),
        np.take_along_axis(similarities, order, axis=1),
    )


def find_nearest(
    vectors: np.ndarray, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the position and similarity of the most similar of other photos.

    Args:
        vectors: Unit vectors, `float32 [n, d]`.
        others: Unit vectors of the other photos, `float32 [m, d]`; m is at least 1.

    Returns:
        `int64 [n]` and `float32 [n]`.
    """
    positions, similarities = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    for start in range(0, len(vectors), _BLOCK):
        products = vectors[start : start + _BLOCK] @ others.T
        positions.append(products.argmax(axis=1))
        similarities.append(products.max(axis=1))
    return np.concatenate(positions), np.concatenate(similarities)


def _highest(values: np.ndarray, count: int) -> np.ndarray:
    """Return the positions of the highest values of each row, `int64 [rows, count]`.

    The maxima of groups give a lower bound of these values. Few values exceed it, so
    this takes a third of the time of `np.argpartition`.
    """
    rows, width = values.shape
    groups = width // _GROUP
    if groups > count:
        grouped = values[:, : groups * _GROUP].reshape(rows, _GROUP, groups)
        maxima = np.partition(grouped.max(axis=1), -count, axis=1)
        above = np.flatnonzero(values >= maxima[:, -count, np.newaxis])
        if len(above) <= _MAX_CANDIDATES * count * rows:
            row, column = np.divmod(above, width)
            order = np.lexsort((-values[row, column], row))
            firsts = np.searchsorted(row, np.arange(rows))[:, np.newaxis]
            return np.asarray(column[order][firsts + np.arange(count)])
    return np.argpartition(values, width - count, axis=1)[:, width - count :]


def neighbour_table(photos: pd.DataFrame, neighbours: Neighbours) -> pd.DataFrame:
    """Return the photos with the columns `neighbours` (paths) and `similarities`."""
    paths = photos["path"].to_numpy(object)
    return photos.assign(
        neighbours=[paths[row].tolist() for row in neighbours.positions],
        similarities=[*neighbours.similarities],
    )


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


def photo_groups(photos: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return a number per photo, equal for photos of the same series, `int64 [n]`.

    Args:
        photos: Photos with the column `series` and the given columns.
        columns: Columns that must be equal too. A photo without a series has its own
            number.
    """
    groups = photos.groupby([*columns], dropna=False, sort=False).ngroup().to_numpy()
    alone = photos["series"].isna().to_numpy()
    return np.where(alone, len(photos) + np.arange(len(photos)), groups)
