"""One photo at a time: decode, turn upright, make RGB, shrink, fit, as plain functions.

JPEGs that need nothing but decoding, nearly all, are given to libjpeg-turbo directly.
Whatever it has something to say about is Pillow's to judge, which uses the same library
and gives the same pixels, at twice the time.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from fruits_pipeline.imaging.resizing import resize

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

NOT_PLAIN = (b"Exif\0\0", b"tiff:Orientation", b"MPF\0")
"""Marks of a JPEG that may want to be turned (EXIF, XMP), or holds several photos."""

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
        if size := _size_of_plain(content, short_side, max_pixels):
            return Canonical(*size, content)
        with Image.open(io.BytesIO(content)) as photo:
            return _canonical(photo, content, short_side, max_pixels)
    except UnidentifiedImageError:
        return Canonical(error=f"not an image: begins with {content[:12]!r}")
    except Exception as exc:  # decoders meet any bytes and raise nearly anything
        return Canonical(error=f"cannot be decoded: {exc or type(exc).__name__}")


def _size_of_plain(
    content: bytes, short_side: int, max_pixels: int
) -> tuple[int, int] | None:
    """Return width and height of a JPEG that is canonical already, and sound.

    All of it is read, but an eighth of its pixels a side is enough to tell.
    """
    if any(mark in content for mark in NOT_PLAIN):
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
        small = min(width, height) <= short_side and width * height <= max_pixels
        if not small or colours not in ("YCbCr", "RGB"):
            return None
        simplejpeg.decode_jpeg(content, min_width=1, min_height=1, min_factor=8)
    except ValueError:  # no JPEG, or one with flaws
        return None
    return width, height


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
    photo = decode(image)
    height, width = photo.shape[:2]
    if how == "pad":
        return _pad(photo, size)
    if how == "stretch":
        return resize(photo, size, size, (0, 0, width, height))
    left, top = max(0, (width - height) / 2), max(0, (height - width) / 2)
    return resize(photo, size, size, (left, top, width - left, height - top))


def decode(image: bytes) -> np.ndarray:
    """Return the pixels of a canonical photo, `uint8 [h, w, 3]`, RGB."""
    try:
        pixels: np.ndarray = simplejpeg.decode_jpeg(image)
    except ValueError:  # flaws that preprocessing has passed
        pixels = np.asarray(Image.open(io.BytesIO(image)))
    return pixels


def _pad(photo: np.ndarray, size: int) -> np.ndarray:
    height, width = photo.shape[:2]
    scale = size / max(width, height)
    inner_width, inner_height = (
        max(1, round(side * scale)) for side in (width, height)
    )
    inner = resize(photo, inner_width, inner_height, (0, 0, width, height))
    if inner_width == inner_height:
        return inner
    padded = np.full((size, size, 3), WHITE, np.uint8)
    left, top = (size - inner_width) // 2, (size - inner_height) // 2
    padded[top : top + inner_height, left : left + inner_width] = inner
    return padded
