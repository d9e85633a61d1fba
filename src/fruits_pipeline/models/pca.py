"""Principal component analysis, fitted to moments."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models.moments import Moments

TOLERANCE = 1e-9
"""Maximum rounding error of a share of variance, a sum of thousands of floats."""


@dataclass(frozen=True)
class Pca:
    """A fitted PCA that projects d features onto k components.

    Attributes:
        mean: Mean of the features, `float64 [d]`.
        scale: Divisor of the centred features: their standard deviation if standardised,
            else 1, `float64 [d]`.
        components: Principal axes, orthonormal rows with the signs of `fix_signs`,
            `float64 [k, d]`.
        spectrum: Variance along all d principal axes, descending, `float64 [d]`.
        n: Number of photos that the PCA was fitted to.
    """

    mean: np.ndarray
    scale: np.ndarray
    components: np.ndarray
    spectrum: np.ndarray
    n: int

    @property
    def ratios(self) -> np.ndarray:
        """Share of the variance along each of the d principal axes, `float64 [d]`."""
        return np.asarray(self.spectrum / self.spectrum.sum())

    @property
    def explained(self) -> float:
        """Share of the variance that the k components retain."""
        return float(self.ratios[: len(self.components)].sum())

    @property
    def digest(self) -> str:
        """SHA-256 of the arrays that determine the result of `transform`."""
        parts = (self.mean, self.scale, self.components)
        return hashlib.sha256(b"".join(p.tobytes() for p in parts)).hexdigest()

    def problem(self) -> str | None:
        """Return what is wrong with the arrays, for example in a damaged file."""
        width, arrays = len(self.mean), (self.mean, self.scale, self.spectrum)
        if any(array.shape != (width,) for array in arrays):
            return "mean, scale and spectrum differ in length"
        if self.components.shape[1:] != (width,):
            return f"components of shape {self.components.shape} for {width} features"
        if not all(np.isfinite(array).all() for array in (*arrays, self.components)):
            return "infinite or missing numbers"
        return None

    def transform(self, vectors: np.ndarray) -> np.ndarray:
        """Project features `[n, d]` onto the components, `float32 [n, k]`."""
        centred = (vectors - self.mean) / self.scale
        return np.asarray(centred @ self.components.T, dtype=np.float32)

    def explained_variance_of(self, moments: Moments) -> float:
        """Return the share of the variance of other photos that the components retain.

        The variance is measured about the mean of this PCA, so that a common shift of
        the photos counts as variance.

        Args:
            moments: Moments of the features of the photos.
        """
        shift = (moments.mean - self.mean) / self.scale
        scatter = _rescale(moments.comoment, self.scale)
        kept = np.sum((self.components @ scatter) * self.components)
        kept += moments.n * np.sum((self.components @ shift) ** 2)
        total = np.trace(scatter) + moments.n * np.sum(shift**2)
        return float(kept / total) if total else 1.0


def fit(
    moments: Moments, variance: float, standardise: bool, max_components: int | None
) -> Pca:
    """Fit a PCA with the fewest components that retain a share of the variance.

    Args:
        moments: Moments of the features.
        variance: Share of the variance to retain, 0 to 1.
        standardise: Divide each feature by its standard deviation first.
        max_components: Maximum number of components; None for no limit.

    Raises:
        FruitsError: If there are fewer than two photos, if all photos have the same
            features, or if `max_components` retain less than `variance`.
    """
    if moments.n <= 1:
        raise FruitsError(
            f"Found features of {moments.n} photo(s); expected at least 2 to "
            "compute a variance. Add photos, or set `photos` to a folder with more."
        )
    from scipy.linalg import eigh

    degrees = moments.n - 1
    scale = np.ones(moments.width)
    if standardise:
        deviation = np.sqrt(np.diag(moments.comoment) / degrees)
        scale = np.where(deviation > 0, deviation, 1.0)
    covariance = _rescale(moments.comoment, scale * np.sqrt(degrees))
    # In Fortran order, LAPACK needs no copy. This driver needs the least memory.
    values, vectors = eigh(covariance.T, overwrite_a=True, driver="evr")
    spectrum = np.clip(values[::-1], 0, None)
    spectrum[moments.n - 1 :] = 0  # n photos span at most n - 1 directions
    if not spectrum.sum():
        raise FruitsError(
            f"Found {moments.n} photos with the same features; expected different "
            "photos. Set `photos` to a folder with different photos."
        )
    k = choose_components(spectrum / spectrum.sum(), variance, max_components)
    components = fix_signs(vectors.T[::-1][:k])
    return Pca(moments.mean, scale, components, spectrum, moments.n)


def _rescale(matrix: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return a matrix with rows and columns divided by `scale`."""
    scaled = matrix / scale[:, np.newaxis]
    scaled /= scale
    return np.asarray(scaled)


def choose_components(
    ratios: np.ndarray, variance: float, max_components: int | None = None
) -> int:
    """Return the smallest number of components that retain a share of the variance.

    Args:
        ratios: Share of the variance of each component, descending, `[d]`.
        variance: Share of the variance to retain, 0 to 1.
        max_components: Maximum number of components; None for no limit.

    Raises:
        FruitsError: If the allowed components retain less than `variance`.
    """
    kept = np.cumsum(ratios)[: max_components or len(ratios)]
    enough = np.flatnonzero(kept >= variance - TOLERANCE)
    if not len(enough):
        raise FruitsError(
            f"Found that {len(kept)} components keep {kept[-1]:.1%} of the variance; "
            f"expected reduce.variance = {variance:.1%}. Lower reduce.variance, or "
            "raise reduce.max_components."
        )
    return int(enough[0]) + 1


def fix_signs(components: np.ndarray) -> np.ndarray:
    """Make the largest entry of each row, by absolute value, positive.

    The signs of principal axes are arbitrary; this makes them deterministic.
    """
    largest = np.abs(components).argmax(axis=1)
    signs = np.sign(components[np.arange(len(components)), largest])
    return np.ascontiguousarray(components * signs[:, np.newaxis])
