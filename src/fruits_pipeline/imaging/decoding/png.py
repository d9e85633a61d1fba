"""Check the chunks of PNG files, and remove those that are not needed.

Pillow does not verify the checksums of pixels, and rejects files with damaged or large
chunks of text. Chunks and passes: W3C, Portable Network Graphics, third edition.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image

from fruits_pipeline.imaging.decoding.errors import PhotoError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK_HEADER = struct.Struct(">I4s")  # length, type
_IMAGE_HEADER = struct.Struct(
    ">IIBBxxB"
)  # width, height, bits, colour type, interlacing
_CRC_BYTES = 4
_SIDES_BYTES = 8  # width and height
_PILLOW_BITS = 8  # per sample of RGB
_PIXELS = (b"IHDR", b"PLTE", b"IDAT")
_KEPT = (b"IEND", b"tRNS", b"eXIf")
_PROFILE, _APPLE = b"iCCP", b"CgBI"
_MAX_TEXT_BYTES = 1024 * 1024  # the limit of Pillow
_MAX_PROFILE_BYTES = 16 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Number of channels by colour type."""

_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""First column, first row, and steps of columns and rows of each pass."""


class _Chunk(NamedTuple):
    kind: bytes
    content: bytes
    is_valid: bool

    @property
    def body(self) -> bytes:
        return self.content[_CHUNK_HEADER.size : -_CRC_BYTES]


def tidy(content: bytes) -> tuple[bytes, bytes | None]:
    """Return a PNG with only the chunks that affect its picture, and its ICC profile.

    The profile is None if there is none, or if it is damaged.

    Raises:
        PhotoError: A chunk with pixels has a wrong checksum, or the format is CgBI.
    """
    parts, profile = [SIGNATURE], None
    for chunk in _chunks(content):
        if chunk.kind == _APPLE:
            raise PhotoError("PNG in Apple's format CgBI; convert it to PNG")
        if chunk.kind in _PIXELS and not chunk.is_valid:
            name = chunk.kind.decode()
            raise PhotoError(f"damaged PNG: wrong checksum in chunk {name}")
        if chunk.kind in _PIXELS or (chunk.is_valid and _is_kept(chunk)):
            parts.append(chunk.content)
        elif chunk.is_valid and chunk.kind == _PROFILE:
            _, _, compressed = chunk.body.partition(b"\0")
            profile = _decompress(compressed[1:], _MAX_PROFILE_BYTES)
    return b"".join(parts), profile


def bits_per_sample(content: bytes) -> int:
    """Return the bits per sample that the header of a PNG declares."""
    return content[len(SIGNATURE) + _CHUNK_HEADER.size + _SIDES_BYTES]


def reduce_transparency(image: Image.Image, content: bytes) -> None:
    """Reduce the transparent colour of an RGB image to 8 bits, like its pixels."""
    colour = image.info.get("transparency")
    if isinstance(colour, tuple) and bits_per_sample(content) > _PILLOW_BITS:
        image.info["transparency"] = tuple(level >> _PILLOW_BITS for level in colour)


def is_complete(content: bytes) -> bool:
    """Return whether a PNG has as many bytes of pixels as its header declares."""
    width, height, bits, colour_type, is_interlaced = _IMAGE_HEADER.unpack_from(
        content, len(SIGNATURE) + _CHUNK_HEADER.size
    )
    expected = 0
    for left, top, step_x, step_y in _ADAM7 if is_interlaced else ((0, 0, 1, 1),):
        columns = max(0, -(-(width - left) // step_x))
        rows = max(0, -(-(height - top) // step_y))
        row_bytes = 1 + -(-columns * bits * _CHANNELS[colour_type] // 8)
        expected += rows * row_bytes if columns else 0
    return _count_pixel_bytes(content, expected) >= expected


def _count_pixel_bytes(content: bytes, limit: int) -> int:
    """Return the number of decompressed bytes of the pixels, counted to about `limit`."""
    decompressor, count = zlib.decompressobj(), 0
    for chunk in _chunks(content):
        piece = chunk.body if chunk.kind == b"IDAT" else b""
        while piece and count < limit:
            count += len(decompressor.decompress(piece, _PIECE_BYTES))
            piece = decompressor.unconsumed_tail
    return count


def _chunks(content: bytes) -> Iterator[_Chunk]:
    """Yield the chunks; the last one may be truncated, for the decoder to report."""
    position = len(SIGNATURE)
    while len(content) - position >= _CHUNK_HEADER.size:
        length, kind = _CHUNK_HEADER.unpack_from(content, position)
        end = position + _CHUNK_HEADER.size + length + _CRC_BYTES
        chunk = content[position:end]
        crc = zlib.crc32(chunk[4:-_CRC_BYTES]).to_bytes(_CRC_BYTES, "big")
        is_truncated = end > len(content)
        yield _Chunk(kind, chunk, is_truncated or crc == chunk[-_CRC_BYTES:])
        if kind == b"IEND":
            return
        position = end


def _is_kept(chunk: _Chunk) -> bool:
    """Return whether a chunk may affect the picture, such as its orientation."""
    if chunk.kind in _KEPT:
        return True
    if len(chunk.content) > _MAX_TEXT_BYTES:
        return False
    keyword, _, text = chunk.body.partition(b"\0")
    match chunk.kind, keyword:
        case (b"tEXt", b"Raw profile type exif"):
            return True
        case (b"zTXt", b"Raw profile type exif"):
            return _decompress(text[1:], _MAX_TEXT_BYTES) is not None
        case (b"iTXt", b"XML:com.adobe.xmp"):
            is_compressed, (*_, xmp) = text[:1] != b"\0", text[2:].split(b"\0", 2)
            return not is_compressed or _decompress(xmp, _MAX_TEXT_BYTES) is not None
    return False


def _decompress(compressed: bytes, max_bytes: int) -> bytes | None:
    """Return the content of a zlib stream; None if it is damaged or too large."""
    decompressor = zlib.decompressobj()
    try:
        content = decompressor.decompress(compressed, max_bytes)
    except zlib.error:
        return None
    return content if decompressor.eof else None
