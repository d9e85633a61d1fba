"""Convert and shrink images in bands, so that no second complete copy is needed."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

_BAND_PIXELS = 500_000

_GAP = 3
"""Multiple of the final size to which squares of pixels are averaged first.

With this gap, the result differs little from that of a single reduction, which needs more
time and memory. Pillow's `reducing_gap` is the same for complete images.
"""

_MAX_SIDE = 65_500
"""Longest side of a JPEG in pixels: JPEG_MAX_DIMENSION in libjpeg's jmorecfg.h."""


def shrink(
    image: Image.Image, short_side: int, convert: Callable[[Image.Image], Image.Image]
) -> Image.Image:
    """Convert an image, and shrink it to a shorter side of at most `short_side` pixels.

    Args:
        image: The image.
        short_side: Maximum shorter side of the result, in pixels.
        convert: Converts an image of any size to one of the same size.
    """
    reduction = reduction_of(image.size, short_side)
    converted = _convert_in_bands(image, convert, reduction)
    scale = min(1.0, short_side / min(image.size), _MAX_SIDE / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    if (width, height) == converted.size:
        return converted
    # The last squares of each side may be incomplete.
    box = (0, 0, image.width / reduction, image.height / reduction)
    return converted.resize((width, height), Image.Resampling.BICUBIC, box)


def reduction_of(size: tuple[int, int], short_side: int) -> int:
    """Return the side of the squares of pixels that `shrink` averages first."""
    return max(1, min(size) // (_GAP * short_side))


def _convert_in_bands(
    image: Image.Image, convert: Callable[[Image.Image], Image.Image], reduction: int
) -> Image.Image:
    """Convert an image, and average squares of `reduction` pixels."""
    if reduction == 1 and image.width * image.height <= _BAND_PIXELS:
        return convert(image)
    size = (-(-image.width // reduction), -(-image.height // reduction))
    step = max(1, _BAND_PIXELS // image.width // reduction) * reduction
    result = None
    for top in range(0, image.height, step):
        bottom = min(image.height, top + step)
        band = convert(image.crop((0, top, image.width, bottom)))
        band = band.reduce(reduction) if reduction > 1 else band
        result = result or Image.new(band.mode, size)
        result.paste(band, (0, top // reduction))
    return result or image
