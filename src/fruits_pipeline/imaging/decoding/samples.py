"""Find the samples of black and white in images of more than 8 bits per sample.

Tags and their defaults: TIFF 6.0, sections 8 and 19.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from fruits_pipeline.imaging.decoding import png
from fruits_pipeline.imaging.decoding.errors import PhotoError

_BITS, _PHOTOMETRIC, _MAX_SAMPLE, _FORMAT = 258, 262, 281, 339
_S_MIN_SAMPLE, _S_MAX_SAMPLE = 340, 341
_WHITE_IS_ZERO = 0
_UNSIGNED, _FLOAT = 1, 3
_NORMAL_BITS = 8
_FORMAT_NAMES = {1: "unsigned", 2: "signed", 3: "floating-point"}

_MIN_UNUSED_BITS = 2
"""Number of unused upper bits from which on fewer bits are meant than declared.

Cameras with sensors of 10 to 14 bits often store their samples in 16 bits.
"""


class SampleRange(NamedTuple):
    """The samples of black and of white; white is the smaller one in negative images."""

    black: float
    white: float


def sample_range(image: Image.Image, content: bytes) -> SampleRange | None:
    """Return the samples of black and white; None if they are 0 and 255.

    Args:
        image: A decoded image.
        content: Its file.

    Raises:
        PhotoError: They are unknown, or Pillow has discarded bits that are needed.
    """
    tags: Mapping[int, Any] = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    is_wide = image.mode == "F" or image.mode.startswith("I")
    is_png = image.format == "PNG"
    bits = (
        png.bits_per_sample(content)
        if is_png
        else max(tags.get(_BITS, (16 if is_wide else 8,)))
    )
    kind = max(tags.get(_FORMAT, (_FLOAT if image.mode == "F" else _UNSIGNED,)))
    if kind == _UNSIGNED:
        found = SampleRange(0, _unsigned_white(image, tags, bits, is_wide))
    else:
        found = _declared_range(tags, bits, kind)
    if is_wide:
        is_negative = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
        return SampleRange(*reversed(found)) if is_negative else found
    if found != (0, 2**bits - 1):
        raise PhotoError(
            f"{bits}-bit samples from {found.black:g} to {found.white:g} in several "
            "channels are not supported; convert the photo to 8 bits"
        )
    return None


def _unsigned_white(
    image: Image.Image, tags: Mapping[int, Any], bits: int, is_wide: bool
) -> int:
    """Return the largest sample, as declared, or of `bits` bits."""
    if bits <= _NORMAL_BITS:
        return int(2**bits - 1)
    declared = int(np.max(tags.get(_MAX_SAMPLE, 0)))
    # Some writers store the largest sample that occurs; only 2^n - 1 is a white level.
    if declared and declared & (declared + 1) == 0:
        return declared
    extrema = np.array(to_little_endian(image).getextrema())
    if image.mode.endswith(("A", "a")):
        extrema = extrema[:-1]
    if extrema.min() < 0:  # Pillow stores samples above 2^31 as negative numbers
        return int(2**bits - 1)
    used = int(extrema.max()).bit_length() + (0 if is_wide else bits - _NORMAL_BITS)
    if extrema.max() and used <= bits - _MIN_UNUSED_BITS:
        remedy = "declare it in the TIFF tag MaxSampleValue, or " if tags else ""
        raise PhotoError(
            f"{bits}-bit samples of which only {used} bits are used: the white level "
            f"is unknown; {remedy}convert the photo to 8 bits"
        )
    return int(2**bits - 1)


def _declared_range(tags: Mapping[int, Any], bits: int, kind: int) -> SampleRange:
    """Return the range that the tags SMinSampleValue and SMaxSampleValue declare."""
    black = float(np.min(tags.get(_S_MIN_SAMPLE, 0)))
    white = float(np.max(tags.get(_S_MAX_SAMPLE, 0)))
    if white <= black:
        name = _FORMAT_NAMES.get(kind, "undefined")
        raise PhotoError(
            f"{bits}-bit {name} samples: the white level is unknown; declare it in the "
            "TIFF tag SMaxSampleValue, or convert the photo to 8 bits"
        )
    return SampleRange(black, white)


def to_little_endian(image: Image.Image) -> Image.Image:
    """Convert an image of mode I;16B, which Pillow supports in part only, to I;16."""
    if image.mode != "I;16B":
        return image
    converted = Image.fromarray(np.asarray(image).astype("<u2"))
    converted.info = image.info
    return converted


def to_8_bits(image: Image.Image, samples: SampleRange) -> Image.Image:
    """Map black to 0 and white to 255; return an image of mode L.

    Transparent samples become white.
    """
    values = np.asarray(image)
    if values.dtype == np.int32 and max(samples) > np.iinfo(np.int32).max:
        values = values.view(np.uint32)
    scale = 255 / (samples.white - samples.black)
    levels = (values.astype(np.float32) - samples.black) * scale
    levels = np.nan_to_num(levels, nan=255).clip(0, 255).round().astype(np.uint8)
    if "transparency" in image.info:
        levels[values == image.info["transparency"]] = 255
    return Image.fromarray(levels)
