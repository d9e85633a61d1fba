"""Principal component analysis from moments, in NumPy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models.moments import Moments

ROUNDING = 1e-9
"""Shares of variance are sums of up to thousands of floats; below this they are equal."""


@dataclass(frozen=True)
class Pca:
    """A fitted model, of d features to k components.

    Attributes:
        mean: `float64 [d]`.
        scale: Divides the centred features; ones unless standardised. `float64 [d]`.
        components: Orthonormal directions, `float64 [k, d]`; the value of the largest
            size in each is positive, so that the same photos give the same vectors.
        spectrum: Variance along each of all d directions, descending, `float64 [d]`.
        n: Number of photos it was fitted to.
    """

    mean: np.ndarray
    scale: np.ndarray
    components: np.ndarray
    spectrum: np.ndarray
    n: int

    @property
    def ratios(self) -> np.ndarray:
        """Share of the variance along each of all d directions, `float64 [d]`."""
        return np.asarray(self.spectrum / self.spectrum.sum())

    @property
    def explained(self) -> float:
        """Share of the variance that the k components keep."""
        return float(self.ratios[: len(self.components)].sum())

    @property
    def digest(self) -> str:
        """SHA-256 of what `transform` depends on."""
        parts = (self.mean, self.scale, self.components)
        return hashlib.sha256(b"".join(p.tobytes() for p in parts)).hexdigest()

    def transform(self, vectors: np.ndarray) -> np.ndarray:
        """Map features `[n, d]` to components, `float32 [n, k]`."""
        centred = (vectors - self.mean) / self.scale
        return np.asarray(centred @ self.components.T, dtype=np.float32)

    def explained_of(self, moments: Moments) -> float:
        """Return the share that the components keep of other photos' variance.

        The variance is about this model's mean: a shift of the photos as a whole
        counts as something that the components have to explain.
        """
        shift = (moments.mean - self.mean) / self.scale
        scatter = moments.comoment / np.outer(self.scale, self.scale)
        scatter += moments.n * np.outer(shift, shift)
        kept = np.sum((self.components @ scatter) * self.components)
        total = np.trace(scatter)
        return float(kept / total) if total else 1.0


def fit(
    moments: Moments, variance: float, standardise: bool, max_components: int | None
) -> Pca:
    """Fit the smallest model that keeps a share of the variance.

    Args:
        moments: Of the features.
        variance: Share of the variance to keep.
        standardise: Divide every feature by its standard deviation first.
        max_components: Most components allowed; None for no limit.

    Raises:
        FruitsError: Fewer than two photos, no variance, or too few components.
    """
    if moments.n <= 1:
        raise FruitsError(
            f"Found features of {moments.n} photo(s); expected at least 2 to measure "
            "how photos vary. Add photos, or set `photos` to a folder with more."
        )
    covariance = moments.comoment / (moments.n - 1)
    scale = _scale(covariance) if standardise else np.ones(moments.width)
    values, vectors = np.linalg.eigh(covariance / np.outer(scale, scale))
    spectrum = np.clip(values[::-1], 0, None)
    spectrum[moments.n - 1 :] = 0  # n photos span at most n - 1 directions
    if not spectrum.sum():
        raise FruitsError(
            f"Found {moments.n} photos with the same features; expected photos that "
            "differ. Set `photos` to a folder with different photos."
        )
    k = choose_components(spectrum / spectrum.sum(), variance, max_components)
    components = fix_signs(vectors.T[::-1][:k])
    return Pca(moments.mean, scale, components, spectrum, moments.n)


def _scale(covariance: np.ndarray) -> np.ndarray:
    deviation = np.sqrt(np.diag(covariance))
    return np.where(deviation > 0, deviation, 1.0)


def choose_components(
    ratios: np.ndarray, variance: float, max_components: int | None = None
) -> int:
    """Return the smallest number of components that keeps `variance`.

    Args:
        ratios: Share of each component, descending, `[d]`.
        variance: Share to keep.
        max_components: Most components allowed; None for no limit.

    Raises:
        FruitsError: It cannot be reached.
    """
    kept = np.cumsum(ratios)[: max_components or len(ratios)]
    enough = np.flatnonzero(kept >= variance - ROUNDING)
    if not len(enough):
        raise FruitsError(
            f"Found that {len(kept)} components keep {kept[-1]:.1%} of the variance; "
            f"expected reduce.variance = {variance:.1%}. Lower reduce.variance, or "
            "raise reduce.max_components."
        )
    return int(enough[0]) + 1


def fix_signs(components: np.ndarray) -> np.ndarray:
    """Turn each component so that its value of the largest size is positive."""
    largest = np.abs(components).argmax(axis=1)
    signs = np.sign(components[np.arange(len(components)), largest])
    return np.ascontiguousarray(components * signs[:, np.newaxis])
