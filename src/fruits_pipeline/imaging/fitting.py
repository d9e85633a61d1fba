"""Fit canonical photos to the square input of a backbone."""

from __future__ import annotations

from typing import Literal

import numpy as np

from fruits_pipeline.imaging.canonical import decode
from fruits_pipeline.imaging.resizing import resize

Fit = Literal["pad", "crop", "stretch"]

WHITE = 255


def fit(image: bytes, size: int, mode: Fit) -> np.ndarray:
    """Decode a canonical photo and fit it to a square.

    Args:
        image: Canonical photo.
        size: Side of the square in pixels.
        mode: `pad` adds white borders, `crop` keeps the central square, `stretch`
            changes the aspect ratio.

    Returns:
        Pixels, `uint8 [size, size, 3]`, RGB.
    """
    photo = decode(image)
    height, width = photo.shape[:2]
    if mode == "pad":
        return _pad(photo, size)
    if mode == "stretch":
        return resize(photo, size, size, (0, 0, width, height))
    left, top = max(0, (width - height) / 2), max(0, (height - width) / 2)
    return resize(photo, size, size, (left, top, width - left, height - top))


def _pad(photo: np.ndarray, size: int) -> np.ndarray:
    height, width = photo.shape[:2]
    scale = size / max(width, height)
    inner_width = max(1, round(width * scale))
    inner_height = max(1, round(height * scale))
    inner = resize(photo, inner_width, inner_height, (0, 0, width, height))
    if inner_width == inner_height:
        return inner
    padded = np.full((size, size, 3), WHITE, np.uint8)
    left, top = (size - inner_width) // 2, (size - inner_height) // 2
    padded[top : top + inner_height, left : left + inner_width] = inner
    return padded
