"""Resize pixels with SIMD instructions, or with Pillow where there is no build of those.

Both widen the bilinear filter as they shrink, so that nothing aliases, and round each
value once; their results differ by at most 1 of 255.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

try:
    import cykooz_resizer as simd
except ModuleNotFoundError:  # it is built for x86-64 only
    simd = None

Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a part of a picture, in pixels."""


def resize(pixels: np.ndarray, width: int, height: int, box: Box) -> np.ndarray:
    """Resize a part of a picture.

    Args:
        pixels: `uint8 [h, w, 3]`.
        width: Of the result, in pixels.
        height: Of the result, in pixels.
        box: The part; it may cut through pixels.

    Returns:
        `uint8 [height, width, 3]`.
    """
    whole = (0, 0, pixels.shape[1], pixels.shape[0])
    if box == whole == (0, 0, width, height):
        return pixels
    return (_with_pillow if simd is None else _with_simd)(pixels, width, height, box)


def _with_pillow(pixels: np.ndarray, width: int, height: int, box: Box) -> np.ndarray:
    picture = Image.fromarray(pixels)
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR, box))


def _with_simd(pixels: np.ndarray, width: int, height: int, box: Box) -> np.ndarray:
    kind = simd.PixelType.U8x3
    source = simd.ImageData(pixels.shape[1], pixels.shape[0], kind, pixels.tobytes())
    target = simd.ImageData(width, height, kind)
    simd.Resizer().resize(source, target, _options(box))
    resized = np.frombuffer(target.get_buffer(), np.uint8)
    return resized.reshape(height, width, 3)


@lru_cache
def _options(box: Box) -> Any:
    left, top, right, bottom = box
    return simd.ResizeOptions(
        simd.ResizeAlg.convolution(simd.FilterType.bilinear),
        crop_box=simd.CropBox(left, top, right - left, bottom - top),
    )
