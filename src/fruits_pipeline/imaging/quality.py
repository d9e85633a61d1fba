"""Measure brightness, contrast, sharpness and saturation of canonical photos.

A photo is decoded at a reduced size, at which all photos are comparable.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import simplejpeg

SIDE = 96
"""Shorter side in pixels at which photos are measured, if they are not smaller."""

# ITU-R BT.601, rounded to integers, so that all sums are exact: the measures do not depend
# on the order in which a processor adds.
_LUMA = np.array([306, 601, 117], np.float32)
_WHITE = 1024 * 255  # luma of a white pixel
_MIN_SIDE = 3  # of the Laplacian
_MIN_CONTRAST = 1 / 255  # less is rounding


class Quality(NamedTuple):
    """Measures of a photo, of its luma Y and its chroma C = max(R, G, B) - min(R, G, B).

    Y and C are between 0 and 1.

    Attributes:
        brightness: Mean of Y, 0 to 1.
        contrast: Standard deviation of Y, 0 to 0.5.
        sharpness: Standard deviation of the Laplacian of Y (4 times a pixel minus its four
            neighbours) divided by the contrast. Blurring removes the small details that it
            measures. 0 for a photo without contrast.
        saturation: Root mean square of C, 0 (grey) to 1.
    """

    brightness: float
    contrast: float
    sharpness: float
    saturation: float


def measure(image: bytes) -> Quality:
    """Return the measures of a canonical photo."""
    pixels = simplejpeg.decode_jpeg(
        image, min_width=SIDE, min_height=SIDE, min_factor=1, fastdct=True
    )
    return measure_pixels(pixels)


def measure_pixels(pixels: np.ndarray) -> Quality:
    """Return the measures of a photo, `uint8 [h, w, 3]`, RGB."""
    height, width = pixels.shape[:2]
    luma = pixels.reshape(-1, 3).astype(np.float32) @ _LUMA
    brightness, contrast = _mean_and_deviation(luma)
    sharpness = _sharpness(luma.reshape(height, width), contrast)
    return Quality(
        brightness / _WHITE, contrast / _WHITE, sharpness, _saturation(pixels)
    )


def _sharpness(luma: np.ndarray, contrast: float) -> float:
    if contrast < _MIN_CONTRAST * _WHITE or min(luma.shape) < _MIN_SIDE:
        return 0.0
    laplacian = 4 * luma[1:-1, 1:-1]
    for neighbour in (luma[:-2, 1:-1], luma[2:, 1:-1], luma[1:-1, :-2], luma[1:-1, 2:]):
        laplacian -= neighbour
    return _mean_and_deviation(laplacian.ravel())[1] / contrast


def _saturation(pixels: np.ndarray) -> float:
    red, green, blue = np.ascontiguousarray(pixels.reshape(-1, 3).T)
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    chroma = (high - low).astype(np.float64)
    return math.sqrt(float(chroma @ chroma) / chroma.size) / 255


def _mean_and_deviation(values: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation of a vector of integers, `float32 [n]`."""
    exact = values.astype(np.float64)
    mean = float(exact.sum()) / exact.size
    return mean, math.sqrt(max(0.0, float(exact @ exact) / exact.size - mean * mean))
