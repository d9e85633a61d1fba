"""Find missing pixels that decoders do not report."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from fruits_pipeline.imaging.decoding import jpeg, png, tiff
from fruits_pipeline.imaging.decoding.errors import PhotoError
from fruits_pipeline.imaging.decoding.jpeg_header import parse_header
from fruits_pipeline.imaging.decoding.lost import bytes_in_runs

_METADATA = ("exif", "xmp", "icc_profile")
_HEADER_BYTES, _LONG_BOX = 8, 1


def check_integrity(image: Image.Image, content: bytes) -> None:
    """Raise if pixels are missing that the decoder has replaced.

    Args:
        image: The decoded image.
        content: Its file.

    Raises:
        PhotoError: Pixels are missing.
    """
    match image.format:
        case "AVIF" | "HEIF":
            is_intact = not _has_lost_part(image, content)
        case "PNG":  # Pillow leaves missing rows at zero
            is_intact = _has_last_row(image) or png.is_complete(content)
        case "TIFF":
            is_intact = tiff.has_valid_strips(image, content)
        case "JPEG" if header := parse_header(content):
            if not header.is_ordinary and (damage := jpeg.find_damage(content, header)):
                raise PhotoError(f"damaged JPEG: {damage}", image.size)
            is_intact = True
        case _:
            is_intact = True
    if not is_intact:
        raise PhotoError(f"damaged {image.format}: pixels are missing", image.size)


def _has_last_row(image: Image.Image) -> bool:
    """Return whether the last row is not zero, if rows were decoded in order."""
    last_row = image.crop((0, image.height - 1, image.width, image.height))
    is_present = last_row.getbbox(alpha_only=False) is not None
    return is_present and not image.info.get("interlace")


def _has_lost_part(image: Image.Image, content: bytes) -> bool:
    """Return whether an AVIF or HEIF has long runs of equal bytes among its pixels."""
    metadata = (image.info.get(name) or b"" for name in _METADATA)
    allowed = sum(map(bytes_in_runs, metadata))  # in maker notes, and after XMP
    return sum(map(bytes_in_runs, _media_boxes(content))) > allowed


def _media_boxes(content: bytes) -> Iterator[bytes]:
    """Yield the boxes `mdat` of a HEIF or AVIF (ISO/IEC 14496-12, section 4.2)."""
    start = 0
    while header := content[start : start + _HEADER_BYTES]:
        size = int.from_bytes(header[:4], "big")
        if size == _LONG_BOX:
            size = int.from_bytes(content[start + 8 : start + 16], "big")
        end = start + size if size >= _HEADER_BYTES else len(content)
        if header[4:] == b"mdat":
            yield content[start:end]
        start = end
