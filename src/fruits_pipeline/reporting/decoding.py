"""Decode photos for contact sheets, including damaged ones."""

import numpy as np
from PIL import Image, ImageColor

from fruits_pipeline.imaging.decoding.reading import read_photo
from fruits_pipeline.reporting.theme import PALE_GREY

# JPEG decoders fill missing data with this grey, in blocks of up to 16 x 16 pixels.
_MISSING_VALUE = 128
_MAX_BLOCK = 16


def decode(
    content: object, side: int, max_mib: int, accept_damage: bool = False
) -> Image.Image | None:
    """Return a photo in RGB, or None if it cannot be decoded.

    Args:
        content: An encoded photo; None is returned for anything that is not bytes.
        side: Shorter side of the result, in pixels, if the photo is larger.
        max_mib: Maximum memory for decoding, in MiB.
        accept_damage: Whether to return the intact part of a damaged photo, with light
            grey for the missing end of a JPEG.
    """
    if not isinstance(content, bytes | bytearray):
        return None
    try:
        image = read_photo(bytes(content), side, max_mib, accept_damage).image
    except Exception:  # decoders raise almost any exception on damaged files
        return None
    return _lighten_missing_part(image) if accept_damage else image


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
