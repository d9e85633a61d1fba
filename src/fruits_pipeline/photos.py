"""One photo at a time: decode, turn upright, make RGB, shrink, fit, as plain functions."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

Fit = Literal["pad", "crop", "stretch"]

ORIENTATION = 0x0112  # EXIF tag and its values: CIPA DC-008-2019, 4.6.4
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ON_ITS_SIDE = (5, 6, 7, 8)
QUALITY = 92
WHITE = (255, 255, 255)

# The limit is `max_pixels`, checked before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class Canonical:
    """A photo made canonical, or why it could not be.

    Attributes:
        width: As taken, upright, in pixels; None where unknown.
        height: As taken, upright, in pixels; None where unknown.
        image: JPEG of the whole photo, upright, RGB; None with an error.
        error: What is wrong with the photo, in words; None without one.
    """

    width: int | None = None
    height: int | None = None
    image: bytes | None = None
    error: str | None = None


def canonicalise(content: bytes, short_side: int, max_pixels: int) -> Canonical:
    """Decode a photo fully and leave it whole, upright, RGB and small.

    A JPEG that is all of this already keeps its bytes. No photo is enlarged.

    Args:
        content: The bytes of the file.
        short_side: Largest length of the shorter side of the result, in pixels.
        max_pixels: Photos of more pixels are refused before they are decoded.
    """
    if not content:
        return Canonical(error="empty file (0 bytes)")
    try:
        with Image.open(io.BytesIO(content)) as photo:
            return _canonical(photo, content, short_side, max_pixels)
    except UnidentifiedImageError:
        return Canonical(error=f"not an image: begins with {content[:12]!r}")
    except Exception as exc:  # decoders meet any bytes and raise nearly anything
        return Canonical(error=f"cannot be decoded: {exc or type(exc).__name__}")


def _canonical(
    photo: Image.Image, content: bytes, short_side: int, max_pixels: int
) -> Canonical:
    width, height = photo.size
    if width * height > max_pixels:
        return Canonical(
            *(width, height),
            error=f"{width} x {height} pixels, more than preprocess.max_pixels = "
            f"{max_pixels}",
        )
    orientation = _orientation(photo)
    small = min(width, height) <= short_side
    if photo.format == "JPEG" and photo.mode == "RGB" and small and not orientation:
        photo.load()
        return Canonical(width, height, content)
    if not small:
        photo.draft(None, (short_side * 2, short_side * 2))
    photo.load()
    upright = photo.transpose(TURNS[orientation]) if orientation else photo
    if orientation in ON_ITS_SIDE:
        width, height = height, width
    return Canonical(width, height, _encode(_shrink(to_rgb(upright), short_side)))


def _orientation(photo: Image.Image) -> int:
    """Return how to turn a photo, or 0 if it is upright or does not say."""
    try:
        orientation = int(photo.getexif().get(ORIENTATION, 0))
    except Exception:  # a broken tag says nothing, and the pixels may be fine
        return 0
    return orientation if orientation in TURNS else 0


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB: 16 bits become 8, transparency becomes white.

    Args:
        image: Of any mode that Pillow decodes to, floats excepted.

    Raises:
        ValueError: The mode is F, whose white is unknown.
    """
    if image.mode == "F":
        raise ValueError("pixels of 32-bit floats have no known white")
    if image.mode.startswith("I"):
        pixels = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255)
        return Image.fromarray(pixels.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        flat = Image.new("RGBA", rgba.size, (*WHITE, 255))
        return Image.alpha_composite(flat, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _shrink(image: Image.Image, short_side: int) -> Image.Image:
    scale = short_side / min(image.size)
    if scale >= 1:
        return image
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return buffer.getvalue()


def fit(image: bytes, size: int, how: Fit) -> np.ndarray:
    """Decode a canonical photo and fit it to a backbone's square input.

    Args:
        image: A canonical photo.
        size: Side of the input, in pixels.
        how: `pad` adds white at the shorter sides, `crop` cuts the longer sides
            evenly, `stretch` gives up the proportions.

    Returns:
        Pixels, `uint8 [size, size, 3]`, RGB.
    """
    photo: Image.Image = Image.open(io.BytesIO(image))
    if how == "pad":
        photo = ImageOps.pad(photo, (size, size), _FILTER, color=WHITE)
    elif how == "crop":
        photo = ImageOps.fit(photo, (size, size), _FILTER)
    else:
        photo = photo.resize((size, size), _FILTER)
    return np.asarray(photo)


_FILTER = Image.Resampling.BILINEAR
