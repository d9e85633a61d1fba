"""Count, mean and co-moments of vectors, in parts that merge.

The pairwise formula is that of Chan, Golub and LeVeque, "Updating formulae and a
pairwise algorithm for computing sample variances" (1979): exact up to rounding, and
stable where the difference of sums of squares is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np


@dataclass(frozen=True)
class Moments:
    """What a covariance is made of.

    Attributes:
        n: Number of vectors.
        mean: `float64 [d]`.
        comoment: Sum of the outer products of the deviations, `float64 [d, d]`.
    """

    n: int
    mean: np.ndarray
    comoment: np.ndarray

    @property
    def width(self) -> int:
        """Length d of a vector; 0 where none was seen."""
        return len(self.mean)


NOTHING = Moments(0, np.zeros(0), np.zeros((0, 0)))


def moments_of(vectors: np.ndarray) -> Moments:
    """Return the moments of `vectors [n, d]`, in float64.

    Raises:
        ValueError: A value is not a finite number.
    """
    if not len(vectors):
        return NOTHING
    if not np.isfinite(vectors).all():
        raise ValueError("found features that are not finite numbers")
    values = vectors.astype(np.float64)
    mean = values.mean(axis=0)
    values -= mean
    return Moments(len(values), mean, values.T @ values)


def merge(a: Moments, b: Moments) -> Moments:
    """Return the moments of what `a` and `b` were made of, together.

    Raises:
        ValueError: Their vectors have different lengths.
    """
    if not a.n or not b.n:
        return a if a.n else b
    if a.width != b.width:
        raise ValueError(f"found vectors of {a.width} and of {b.width} values")
    n = a.n + b.n
    delta = b.mean - a.mean
    mean = a.mean + delta * (b.n / n)
    comoment = a.comoment + b.comoment
    comoment += np.outer(delta, delta * (a.n * b.n / n))
    return Moments(n, mean, comoment)


def merge_all(parts: Iterable[Moments]) -> Moments:
    """Return the moments of all parts together."""
    return reduce(merge, parts, NOTHING)


def pack(moments: Moments) -> np.ndarray:
    """Return the upper triangle of the co-moments, row by row, `[d (d + 1) / 2]`."""
    return moments.comoment[np.triu_indices(moments.width)]


def unpack(n: int, mean: np.ndarray, triangle: np.ndarray) -> Moments:
    """Undo `pack`."""
    comoment = np.zeros((len(mean), len(mean)))
    rows, columns = np.triu_indices(len(mean))
    comoment[rows, columns] = triangle
    comoment[columns, rows] = triangle
    return Moments(n, mean, comoment)
