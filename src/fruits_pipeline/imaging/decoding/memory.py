"""Estimate the memory for decoding a photo from its header.

The constants are measured peaks of Pillow 13 at 12 megapixels, rounded up. They include
the decoded image and the buffers of the decoder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from fruits_pipeline.imaging.decoding.bands import reduction_of
from fruits_pipeline.imaging.decoding.errors import PhotoError
from fruits_pipeline.imaging.decoding.jpeg_header import JpegHeader

MIB = 1024 * 1024

_FIXED_BYTES = 24 * MIB
"""For the conversion of a band of the image, and for a photo of short side length."""

_STORED_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 8}
"""Bytes per pixel of a decoded image by mode; other modes need 4."""

_DECODER_BYTES = {"WEBP": 17, "AVIF": 16, "HEIF": 9.5, "JPEG": 12, "MPO": 12}
"""Bytes per pixel by format, if the decoder needs more than the decoded image."""

_JPEG_BYTES = 12
"""Bytes per pixel of an ordinary JPEG: an array, an image, and its conversion."""

_CONVERTED_BYTES = 4
"""Bytes per pixel of an image in RGB."""

_COPIES = {"PNG": 2, "WEBP": 1, "AVIF": 1, "HEIF": 1}
"""Number of copies of the file by format."""

_DEEP_HEIF_BYTES = 21
"""Bytes per pixel of a HEIF with more than 8 bits per sample."""

_NORMAL_BITS = 8
_BITS, _COMPRESSION, _ORIENTATION, _SAMPLES, _ROWS_PER_STRIP = 258, 259, 274, 277, 278
_UNCOMPRESSED = 1
_TILE_WIDTH, _TILE_LENGTH = 322, 323


def check_memory(size: tuple[int, int], required_bytes: int, max_mib: int) -> None:
    """Raise if a photo needs too much memory.

    Args:
        size: Width and height of the photo, for the message.
        required_bytes: Memory for decoding it.
        max_mib: Maximum memory in MiB.

    Raises:
        PhotoError: The photo needs more than `max_mib`.
    """
    required = -(-required_bytes // MIB)
    if required > max_mib:
        raise PhotoError(
            f"{size[0]} x {size[1]} pixels need {required:,} MiB of memory to decode; "
            f"expected at most decode_memory_mib = {max_mib}",
            size,
        )


def jpeg_bytes(header: JpegHeader, min_side: int) -> int:
    """Return the memory for `jpeg.decode`, in bytes."""
    width, height = header.size
    possible = (r for r in (8, 4, 2) if min(header.size) // r >= min_side)
    reduction = next(possible, 1)
    pixels = -(-width // reduction) * -(-height // reduction)
    return _FIXED_BYTES + header.buffer_bytes + _JPEG_BYTES * pixels


def gif_bytes(size: tuple[int, int]) -> int:
    """Return the memory for opening a GIF: its screen, and the area that a frame clears."""
    return _FIXED_BYTES + 2 * size[0] * size[1]


def image_bytes(image: Image.Image, content_bytes: int, short_side: int) -> int:
    """Return the memory for decoding an image with Pillow, in bytes.

    Args:
        image: The image, opened but not decoded.
        content_bytes: Size of the file.
        short_side: Maximum shorter side of the result, in pixels.
    """
    stored = _STORED_BYTES.get(image.mode, 4)
    per_pixel = max(stored, _DECODER_BYTES.get(image.format or "", 0))
    if image.format == "HEIF" and image.info.get("bit_depth", 8) > _NORMAL_BITS:
        per_pixel = _DEEP_HEIF_BYTES
    total = _FIXED_BYTES + _COPIES.get(image.format or "", 0) * content_bytes
    if isinstance(image, TiffImageFile):
        total += _strip_bytes(image.tag_v2, image.size)
        if image.tag_v2.get(_ORIENTATION, 1) != 1:  # Pillow makes an upright copy
            per_pixel *= 2
    converted = _CONVERTED_BYTES / reduction_of(image.size, short_side) ** 2
    return total + int((per_pixel + converted) * image.width * image.height)


def _strip_bytes(tags: Mapping[int, Any], size: tuple[int, int]) -> int:
    """Return the size of a decoded strip or tile of a compressed TIFF."""
    if tags.get(_COMPRESSION, _UNCOMPRESSED) == _UNCOMPRESSED:
        return 0
    width, length = size[0], min(size[1], tags.get(_ROWS_PER_STRIP, size[1]))
    if _TILE_WIDTH in tags:
        width, length = tags[_TILE_WIDTH], tags.get(_TILE_LENGTH, 0)
    bits = max(tags.get(_BITS, (1,))) * tags.get(_SAMPLES, 1)
    return int(width * length * bits // 8)
