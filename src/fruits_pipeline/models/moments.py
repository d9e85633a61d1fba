"""Count, mean and co-moments of vectors, computed in parts and merged.

The merge is the pairwise algorithm of Chan, Golub and LeVeque (1979), "Updating formulae
and a pairwise algorithm for computing sample variances". Unlike a difference of sums of
squares, it is numerically stable for means far from zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Sufficient statistics of a covariance matrix.

    Attributes:
        n: Number of vectors.
        mean: Mean of the vectors, `float64 [d]`.
        comoment: Sum of the outer products of the deviations from the mean,
            `float64 [d, d]`; the covariance times `n - 1`.
    """

    n: int
    mean: np.ndarray
    comoment: np.ndarray

    @property
    def width(self) -> int:
        """Length d of the vectors; 0 without vectors."""
        return len(self.mean)


BLOCK = 64
"""Rows of a co-moment matrix that are merged at a time, to save memory."""

EMPTY = Moments(0, np.zeros(0), np.zeros((0, 0)))


def moments_of(vectors: np.ndarray) -> Moments:
    """Compute the moments of vectors `[n, d]` of any float type, in float64.

    Raises:
        ValueError: If a value is infinite or NaN.
    """
    if not len(vectors):
        return EMPTY
    if not np.isfinite(vectors).all():
        raise ValueError("found infinite or NaN features; expected finite numbers")
    values = vectors.astype(np.float64)
    mean = values.mean(axis=0)
    values -= mean
    return Moments(len(values), mean, values.T @ values)


def merge(a: Moments, b: Moments) -> Moments:
    """Return the moments of the union of two disjoint sets of vectors.

    Raises:
        ValueError: If the vectors have different lengths.
    """
    return merge_all([a, b])


def merge_all(parts: Iterable[Moments]) -> Moments:
    """Return the moments of the union of disjoint sets of vectors.

    Needs memory for the result and one of the parts, if `parts` is an iterator.

    Raises:
        ValueError: If the vectors have different lengths.
    """
    total, is_own = EMPTY, False
    for part in parts:
        if not part.n or not total.n:
            total = part if part.n else total
            continue
        if not is_own:
            total, is_own = replace(total, comoment=total.comoment.copy()), True
        total = _add(total, part)
        del part  # the next one is computed in its memory
    return total


def _add(a: Moments, b: Moments) -> Moments:
    """Merge moments into the memory of `a`."""
    if a.width != b.width:
        raise ValueError(
            f"found vectors of {a.width} and {b.width} values; expected one length"
        )
    n = a.n + b.n
    delta = b.mean - a.mean
    mean = a.mean + delta * (b.n / n)
    scaled = delta * np.sqrt(a.n * b.n / n)  # so that the product is exactly symmetric
    for start in range(0, a.width, BLOCK):
        part = slice(start, start + BLOCK)
        a.comoment[part] += b.comoment[part]
        a.comoment[part] += np.outer(scaled[part], scaled)
    return Moments(n, mean, a.comoment)


def pack(moments: Moments) -> np.ndarray:
    """Return the upper triangle of the co-moment matrix, row by row, `[d (d + 1) / 2]`."""
    return np.asarray(moments.comoment[_upper_triangle(moments.width)])


def unpack(n: int, mean: np.ndarray, triangle: np.ndarray) -> Moments:
    """Restore moments from their count, mean and the result of `pack`."""
    comoment, upper = np.zeros((len(mean), len(mean))), _upper_triangle(len(mean))
    comoment[upper] = comoment.T[upper] = triangle
    return Moments(n, mean, comoment)


def _upper_triangle(width: int) -> np.ndarray:
    """Return a mask, `bool [d, d]`; indices would need 16 times as much memory."""
    return ~np.tri(width, k=-1, dtype=bool)
