"""Convert photos to canonical form: upright RGB JPEGs of limited size.

Most JPEGs are canonical already; `simplejpeg` (libjpeg-turbo) validates and decodes them.
All other files go through Pillow, which decodes JPEGs to the same pixels in twice the
time.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import simplejpeg
from PIL import ExifTags, Image, UnidentifiedImageError

# Values of the EXIF tag Orientation: CIPA DC-008-2019, section 4.6.4.
TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDES_SWAPPED = (5, 6, 7, 8)
JPEG_QUALITY = 92
OPAQUE_WHITE = (255, 255, 255, 255)

PILLOW_MARKERS = (b"Exif\0\0", b"tiff:Orientation", b"MPF\0")
"""Bytes of an orientation (EXIF, XMP) or of several images (MPF), which need Pillow."""

# The limit is `max_pixels` alone; it is checked before pixels are decoded.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class CanonicalPhoto:
    """A canonical photo, or the reason why a file was rejected.

    Attributes:
        width: Width of the original photo, upright, in pixels; None if unknown.
        height: Height of the original photo, upright, in pixels; None if unknown.
        image: Canonical JPEG; None if the file was rejected.
        error: Error message; None if the file was accepted.
    """

    width: int | None = None
    height: int | None = None
    image: bytes | None = None
    error: str | None = None


def canonicalise(content: bytes, short_side: int, max_pixels: int) -> CanonicalPhoto:
    """Convert a photo to canonical form.

    The file is decoded completely, so a truncated photo is rejected. A JPEG that is
    canonical already is returned byte for byte. Photos are never enlarged. Transparent
    pixels become white, and 16-bit channels are reduced to 8 bits.

    Args:
        content: Content of the photo file.
        short_side: Maximum shorter side of the result, in pixels.
        max_pixels: Photos with more pixels are rejected before they are decoded.

    Returns:
        The canonical photo, or an error message if `content` is rejected.
    """
    if not content:
        return CanonicalPhoto(error="empty file (0 bytes)")
    try:
        if size := _size_if_canonical(content, short_side, max_pixels):
            width, height = size
            return CanonicalPhoto(width, height, content)
        with Image.open(io.BytesIO(content)) as photo:
            return _convert(photo, content, short_side, max_pixels)
    except UnidentifiedImageError:
        return CanonicalPhoto(error=f"not an image: begins with {content[:12]!r}")
    except Exception as exc:  # Pillow raises many types for corrupt files
        return CanonicalPhoto(error=f"cannot be decoded: {exc or type(exc).__name__}")


def decode(image: bytes) -> np.ndarray:
    """Return the pixels of a canonical photo, `uint8 [h, w, 3]`, RGB."""
    try:
        pixels: np.ndarray = simplejpeg.decode_jpeg(image)
    except ValueError:  # simplejpeg rejects some flawed JPEGs that Pillow accepts
        pixels = np.asarray(Image.open(io.BytesIO(image)))
    return pixels


def _size_if_canonical(
    content: bytes, short_side: int, max_pixels: int
) -> tuple[int, int] | None:
    """Return width and height of a valid canonical JPEG; None for any other file."""
    if any(marker in content for marker in PILLOW_MARKERS):
        return None
    try:
        height, width, colour_space, _ = simplejpeg.decode_jpeg_header(content)
        accepted = min(width, height) <= short_side and width * height <= max_pixels
        if not accepted or colour_space not in ("YCbCr", "RGB"):
            return None
        # Decoding at 1/8 scale reads all bytes, and is faster than at full scale.
        simplejpeg.decode_jpeg(content, min_width=1, min_height=1, min_factor=8)
    except ValueError:  # not a JPEG, or a flawed one
        return None
    return width, height


def _convert(
    photo: Image.Image, content: bytes, short_side: int, max_pixels: int
) -> CanonicalPhoto:
    width, height = photo.size
    if width * height > max_pixels:
        error = (
            f"{width} x {height} pixels, more than preprocess.max_pixels = {max_pixels}"
        )
        return CanonicalPhoto(width, height, error=error)
    orientation = _orientation(photo)
    small = min(width, height) <= short_side
    if photo.format == "JPEG" and photo.mode == "RGB" and small and not orientation:
        photo.load()
        return CanonicalPhoto(width, height, content)
    if not small:
        photo.draft(None, (short_side * 2, short_side * 2))
    photo.load()
    if orientation:
        photo = photo.transpose(TRANSPOSITIONS[orientation])
    if orientation in SIDES_SWAPPED:
        width, height = height, width
    image = _encode(_shrink(_to_rgb(photo), short_side))
    return CanonicalPhoto(width, height, image)


def _orientation(photo: Image.Image) -> int:
    """Return the key of a photo in `TRANSPOSITIONS`; 0 if it is upright or unknown."""
    try:
        orientation = int(photo.getexif().get(ExifTags.Base.Orientation, 0))
    except Exception:  # corrupt metadata does not affect the pixels
        return 0
    return orientation if orientation in TRANSPOSITIONS else 0


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert an image to RGB.

    Raises:
        ValueError: If the mode is F, because its white level is undefined.
    """
    if image.mode == "F":
        raise ValueError("32-bit float pixels (mode F) have no defined white level")
    if image.mode.startswith("I"):
        pixels = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255)
        return Image.fromarray(pixels.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        background = Image.new("RGBA", rgba.size, OPAQUE_WHITE)
        return Image.alpha_composite(background, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _shrink(image: Image.Image, short_side: int) -> Image.Image:
    scale = short_side / min(image.size)
    if scale >= 1:
        return image
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()
