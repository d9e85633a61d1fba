"""Convert photos to canonical form: upright JPEGs in sRGB of limited size."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import simplejpeg
from PIL import Image

from fruits_pipeline.imaging.decoding import colour, jpeg, memory, reading
from fruits_pipeline.imaging.decoding.errors import PhotoError
from fruits_pipeline.imaging.decoding.jpeg_header import parse_header
from fruits_pipeline.imaging.isolation import describe_error

logger = logging.getLogger(__name__)

JPEG_QUALITY = 92

DECODER_FAILURE = "cannot be decoded: the decoder"
"""Start of the error of a photo that crashes its decoder, or makes it raise or hang."""

_SEVERAL_IMAGES = b"MPF\0"  # CIPA DC-007: Multi-Picture Format


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


def canonicalise(content: bytes, short_side: int, max_mib: int) -> CanonicalPhoto:
    """Convert a photo to canonical form.

    The file is decoded completely, so a damaged photo is rejected. A JPEG that is
    canonical already is returned byte for byte. Photos are never enlarged. Transparent
    pixels become white, 16-bit channels are reduced to 8 bits, and colours are converted
    to sRGB.

    Args:
        content: Content of the photo file.
        short_side: Maximum shorter side of the result, in pixels.
        max_mib: Maximum memory for decoding, in MiB. Photos that need more are rejected
            before they are decoded.

    Returns:
        The canonical photo, or an error message if `content` is rejected.
    """
    try:
        if size := _size_if_canonical(content, short_side, max_mib):
            return CanonicalPhoto(*size, content)
        photo = reading.read_photo(content, short_side, max_mib)
        return CanonicalPhoto(photo.width, photo.height, _encode(photo.image))
    except PhotoError as exc:
        width, height = exc.size or (None, None)
        return CanonicalPhoto(width, height, error=str(exc))
    except Exception as exc:  # errors that are expected of decoders are a PhotoError
        _log_defect(type(exc).__name__)
        return CanonicalPhoto(error=f"{DECODER_FAILURE} {describe_error(exc)}")


@lru_cache
def _log_defect(kind: str) -> None:
    """Log the current exception, which may be a defect; once per type and process."""
    logger.warning("A photo was rejected for a %s", kind, exc_info=True)


def decode(image: bytes) -> np.ndarray:
    """Return the pixels of a canonical photo, `uint8 [h, w, 3]`, RGB."""
    pixels: np.ndarray = simplejpeg.decode_jpeg(image)
    return pixels


def _size_if_canonical(
    content: bytes, short_side: int, max_mib: int
) -> tuple[int, int] | None:
    """Return width and height of an intact canonical JPEG; None for any other file."""
    header = parse_header(content)
    if not header or not header.is_ordinary or header.mode != "RGB":
        return None
    required = memory.jpeg_bytes(header, short_side)
    if min(header.size) > short_side or required > max_mib * memory.MIB:
        return None
    if header.has_metadata and not _is_single_upright_srgb(content):
        return None
    return header.size if jpeg.is_intact(content, header) else None


def _is_single_upright_srgb(content: bytes) -> bool:
    if _SEVERAL_IMAGES in content:
        return False
    metadata = reading.read_jpeg_metadata(content)
    is_srgb = metadata.profile is None or colour.is_srgb(metadata.profile)
    return metadata.orientation == 1 and is_srgb


def _encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()
