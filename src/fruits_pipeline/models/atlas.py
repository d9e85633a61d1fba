"""Arrange photos on a grid, with similar photos next to each other."""

from __future__ import annotations

import numpy as np
import pandas as pd

ASPECT = 1.5
"""Width of the grid divided by its height."""

_PERPLEXITY = 30.0
_ITERATIONS = 300  # the arrangement changes little afterwards
_ANGLE = 0.8  # coarser than the default of 0.5, and twice as fast
_MIN_PHOTOS = 6  # of t-SNE


def place_photos(
    photos: pd.DataFrame, vectors: np.ndarray, max_photos: int
) -> pd.DataFrame:
    """Return `path, label, row, column` of photos on a full grid, row by row.

    Args:
        photos: `path` and `label` of each photo, in random order.
        vectors: Unit vectors, `float32 [n, d]`.
        max_photos: Maximum number of photos on the grid.
    """
    rows, columns = grid_size(min(max_photos, len(photos)))
    chosen = balanced_sample(photos["label"], rows * columns)
    row, column = arrange(vectors[chosen])
    places = photos[["path", "label"]].iloc[chosen].assign(row=row, column=column)
    return places.sort_values(["row", "column"], ignore_index=True)


def balanced_sample(labels: pd.Series, count: int) -> np.ndarray:
    """Return the positions of photos, equally many of each label where possible.

    Args:
        labels: Label of each photo, in random order; null for none, which counts as one.
        count: Maximum number of photos.
    """
    rank = labels.groupby(labels, dropna=False, sort=False).cumcount().to_numpy()
    return np.sort(np.argsort(rank, kind="stable")[:count])


def grid_size(photos: int) -> tuple[int, int]:
    """Return rows and columns of a full grid for most of some photos; 0 for none.

    Of all grids, this is the best compromise between few missing photos and `ASPECT`.
    """
    if not photos:
        return 0, 0
    heights = np.arange(1, photos + 1)
    widest = photos // heights
    wide = np.clip(np.rint(heights * ASPECT).astype(int), 1, widest)
    rows, columns = np.tile(heights, 2), np.concatenate([wide, widest])
    missing = 1 - rows * columns / photos
    best = np.argmin(missing + np.abs(np.log(columns / rows / ASPECT)) / 2)
    return int(rows[best]), int(columns[best])


def arrange(vectors: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the row and column of each photo, `int64 [n]`.

    Args:
        vectors: Unit vectors, `float32 [n, d]`; n is a product of `grid_size`.
        seed: Random seed; the same seed gives the same grid.
    """
    from scipy.optimize import linear_sum_assignment

    rows, columns = grid_size(len(vectors))
    if not rows:
        return np.empty(0, int), np.empty(0, int)
    cells = np.stack(np.divmod(np.arange(rows * columns), columns), axis=1)
    # Ranks fill the grid evenly, so that photos move less.
    ranks = np.argsort(np.argsort(embed(vectors, seed), axis=0), axis=0) / len(vectors)
    targets = ranks[:, ::-1] * (rows, columns)
    costs = ((targets[:, np.newaxis] - cells) ** 2).sum(axis=2)
    _, chosen = linear_sum_assignment(costs)
    return cells[chosen, 0], cells[chosen, 1]


def embed(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Return positions of photos in the plane with t-SNE, `float [n, 2]`."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(seed)
    start = rng.normal(scale=1e-6, size=(len(vectors), 2))
    start[:, : vectors.shape[1]] += 1e-4 * vectors[:, :2]
    if len(vectors) < _MIN_PHOTOS:
        return start
    tsne = TSNE(
        perplexity=min(_PERPLEXITY, (len(vectors) - 1) / 3),
        max_iter=_ITERATIONS,
        angle=_ANGLE,
        init=start.astype(np.float32),
        random_state=seed,
    )
    with threadpool_limits(1):  # its threads wait for each other most of the time
        positions: np.ndarray = tsne.fit_transform(vectors)
    return positions
