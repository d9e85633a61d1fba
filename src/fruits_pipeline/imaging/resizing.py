"""Resize photos with `cykooz_resizer` (SIMD), or with Pillow if it is not installed.

Both use an antialiased bilinear filter. Their results differ by at most one level of 255.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

try:
    import cykooz_resizer as simd
except ModuleNotFoundError:  # available for x86-64 only
    simd = None

Box = tuple[float, float, float, float]
"""Left, top, right and bottom edge in pixels."""


def resize(photo: np.ndarray, width: int, height: int, box: Box) -> np.ndarray:
    """Resize a rectangle of a photo.

    Args:
        photo: Pixels, `uint8 [h, w, 3]`.
        width: Width of the result in pixels.
        height: Height of the result in pixels.
        box: The rectangle; edges may be fractional.

    Returns:
        Pixels, `uint8 [height, width, 3]`; `photo` itself if nothing changes.
    """
    full = (0, 0, photo.shape[1], photo.shape[0])
    if box == full == (0, 0, width, height):
        return photo
    if simd is not None:
        return _resize_with_simd(photo, width, height, box)
    image = Image.fromarray(photo)
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box))


def _resize_with_simd(
    photo: np.ndarray, width: int, height: int, box: Box
) -> np.ndarray:
    pixel_type = simd.PixelType.U8x3
    source_height, source_width = photo.shape[:2]
    source = simd.ImageData(source_width, source_height, pixel_type, photo.tobytes())
    target = simd.ImageData(width, height, pixel_type)
    simd.Resizer().resize(source, target, _resize_options(box))
    resized = np.frombuffer(target.get_buffer(), np.uint8)
    return resized.reshape(height, width, 3)


@lru_cache
def _resize_options(box: Box) -> Any:
    left, top, right, bottom = box
    return simd.ResizeOptions(
        simd.ResizeAlg.convolution(simd.FilterType.bilinear),
        crop_box=simd.CropBox(left, top, right - left, bottom - top),
    )
