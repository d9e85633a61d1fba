"""Make small versions of canonical photos."""

from __future__ import annotations

import numpy as np
import simplejpeg

from fruits_pipeline.imaging.resizing import resize

JPEG_QUALITY = 80

THUMBNAIL_SIDE = 96
"""Longer side of thumbnails in pixels."""


def thumbnail(image: bytes, side: int) -> bytes:
    """Return a JPEG of a canonical photo, with a longer side of at most `side` pixels.

    Args:
        image: Canonical photo.
        side: Maximum length of the longer side.
    """
    height, width = simplejpeg.decode_jpeg_header(image)[:2]
    scale = min(1.0, side / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    photo = simplejpeg.decode_jpeg(
        image, min_width=size[0], min_height=size[1], min_factor=1
    )
    box = (0, 0, photo.shape[1], photo.shape[0])
    small = np.ascontiguousarray(resize(photo, *size, box))
    encoded: bytes = simplejpeg.encode_jpeg(small, JPEG_QUALITY, colorsubsampling="420")
    return encoded
