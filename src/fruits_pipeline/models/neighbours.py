"""Compare photos by the cosine similarity of their components.

Vectors are unit vectors, so that a product of two is their similarity. A photo whose
components are all 0 has the similarity 0 to every photo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

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


def find_neighbours(
    vectors: np.ndarray, count: int, apply: Callable[..., Iterable[np.ndarray]] = map
) -> Neighbours:
    """Return up to `count` neighbours of each photo, without the photo itself.

    Args:
        vectors: Unit vectors, `float32 [n, d]`.
        count: Number of neighbours.
        apply: `map`, or that of a thread pool.
    """
    n = len(vectors)
    found = min(count, max(0, n - 1))
    find = partial(_find_in_block, vectors, found)
    with threadpool_limits(1):  # threads wait for each other if other processes run
        blocks = [*apply(find, range(0, n if found else 0, _BLOCK))]
    positions = np.concatenate(blocks) if blocks else np.empty((n, found), np.int64)
    similarities = np.einsum("nd,nkd->nk", vectors, vectors[positions])
    order = np.argsort(-similarities, axis=1, kind="stable")
    return Neighbours(
        np.take_along_axis(positions, order, axis=1),
        np.take_along_axis(similarities, order, axis=1),
    )


def _find_in_block(vectors: np.ndarray, count: int, start: int) -> np.ndarray:
    """Return the neighbours of `_BLOCK` photos, unsorted, `int64 [_BLOCK, count]`."""
    products = vectors[start : start + _BLOCK] @ vectors.T
    own = np.arange(len(products))
    products[own, start + own] = -np.inf
    return _highest(products, count)


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
