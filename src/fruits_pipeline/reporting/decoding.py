"""Decode photos for contact sheets, including damaged ones."""

import io
import warnings

import numpy as np
from PIL import Image, ImageColor, ImageFile

from fruits_pipeline.reporting.theme import PALE_GREY

# Larger photos are not decoded: a small file can expand to any amount of memory.
_MAX_PIXELS = 100_000_000
# JPEG decoders fill missing data with this grey, in blocks of up to 16 x 16 pixels.
_MISSING_VALUE = 128
_MAX_BLOCK = 16


def decode(content: object, side: int) -> Image.Image | None:
    """Return a photo in RGB, or None if it cannot be decoded.

    Args:
        content: An encoded photo; None is returned for anything that is not bytes.
        side: Smallest useful side in pixels. A larger JPEG is decoded at reduced size,
            which takes less time and memory.
    """
    if not isinstance(content, bytes | bytearray):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as image:
                if image.width * image.height > _MAX_PIXELS:
                    return None
                image.draft("RGB", (side, side))
                return image.convert("RGB")
    except Exception:  # Pillow raises almost any exception on damaged files
        return None


def decode_damaged(content: object, side: int) -> Image.Image | None:
    """Return a photo like `decode`, with light grey for the missing end of a JPEG."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        photo = decode(content, side)
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
    return photo and _lighten_missing_part(photo)


def _lighten_missing_part(photo: Image.Image) -> Image.Image:
    """Replace the grey that a decoder fills in for the missing end of a JPEG."""
    pixels = np.array(photo)
    missing = (pixels == _MISSING_VALUE).all(axis=2)
    present_rows = np.flatnonzero(~missing.all(axis=1))
    # In the last row of blocks with data, only some blocks may have data.
    complete = present_rows[-1] + 1 - _MAX_BLOCK if present_rows.size else 0
    missing[: max(0, complete)] = False
    pixels[missing] = ImageColor.getrgb(PALE_GREY)
    return Image.fromarray(pixels)
