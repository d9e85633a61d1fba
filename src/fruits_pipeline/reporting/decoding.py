"""Decode photos for contact sheets, including damaged ones."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import partial

import numpy as np
from PIL import Image, ImageColor

from fruits_pipeline.imaging.decoding.reading import read_photo
from fruits_pipeline.imaging.isolation import Failure, Limits, process_isolated
from fruits_pipeline.reporting.theme import PALE_GREY

# JPEG decoders fill missing data with this grey, in blocks of up to 16 x 16 pixels.
_MISSING_VALUE = 128
_MAX_BLOCK = 16

_SECONDS = 5.0  # per photo; a rejected photo can make its decoder hang
_SIZE = struct.Struct("II")


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


def decode_rejected(
    contents: Sequence[object], side: int, max_mib: int
) -> list[Image.Image | None]:
    """Return the intact part of rejected photos, as `decode`.

    Photos are decoded in child processes, because they can crash their decoder. None is
    also returned for those that do.
    """
    process = partial(_decode_to_bytes, contents, side, max_mib)
    results = process_isolated(process, len(contents), Limits(_SECONDS, max_mib))
    return [_from_bytes(result) for result in results]


def _decode_to_bytes(
    contents: Sequence[object], side: int, max_mib: int, position: int
) -> bytes:
    image = decode(contents[position], side, max_mib, accept_damage=True)
    return _SIZE.pack(*image.size) + image.tobytes() if image else b""


def _from_bytes(result: bytes | Failure) -> Image.Image | None:
    if isinstance(result, Failure) or not result:
        return None
    size = _SIZE.unpack_from(result)
    return Image.frombytes("RGB", (size[0], size[1]), result[_SIZE.size :])


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
