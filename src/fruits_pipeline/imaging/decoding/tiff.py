"""Check the pixels of TIFF files, and report the messages of its decoder."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from fruits_pipeline.imaging.decoding import jpeg
from fruits_pipeline.imaging.decoding.errors import PhotoError
from fruits_pipeline.imaging.decoding.jpeg_header import END, START, parse_header
from fruits_pipeline.imaging.decoding.lost import LOST

_WIDTH, _LENGTH, _BITS, _COMPRESSION, _SAMPLES, _ROWS_PER_STRIP = (
    256,
    257,
    258,
    259,
    277,
    278,
)
_PLANES, _COLOUR_MAP, _TILE_WIDTH, _TILE_LENGTH, _JPEG_TABLES = 284, 320, 322, 323, 347
_SEPARATE, _UNCOMPRESSED = 2, 1
_MAX_8_BIT = 255
_STRIPS = ((273, 279), (324, 325))
"""Tags of the offsets and sizes of strips, and of tiles (TIFF 6.0)."""

_PIECE_BYTES = 1024 * 1024
_STANDARD_ERROR = 2


def has_valid_strips(image: Image.Image, content: bytes) -> bool:
    """Return whether the strips or tiles of a decoded TIFF are complete."""
    if not isinstance(image, TiffImageFile):
        return True
    if not _has_all_strips(image, content):
        return False
    match image.tag_v2.get(_COMPRESSION):
        case 8 | 32946:  # deflate
            return all(map(_is_valid_zlib, _strips(image, content)))
        case 2 | 3 | 4 | 5 | 32773 | 50000:  # CCITT, LZW, PackBits, Zstandard
            return not any(LOST in strip for strip in _strips(image, content))
        case 7:
            tables = image.tag_v2.get(_JPEG_TABLES, b"").removesuffix(END) or START
            streams = (tables + s.removeprefix(START) for s in _strips(image, content))
            return all(map(_is_valid_jpeg, streams))
    return True


def _has_all_strips(image: TiffImageFile, content: bytes) -> bool:
    """Return whether all strips or tiles of a TIFF are in the file."""
    tags = image.tag_v2
    planes = tags.get(_SAMPLES, 1) if tags.get(_PLANES) == _SEPARATE else 1
    width, length = tags[_WIDTH], tags[_LENGTH]
    if _TILE_WIDTH in tags:
        columns, rows = tags[_TILE_WIDTH], tags[_TILE_LENGTH]
    else:
        columns, rows = width, min(length, tags.get(_ROWS_PER_STRIP, length))
    count = -(-width // columns) * -(-length // rows) * planes
    starts = tags.get(_STRIPS[_TILE_WIDTH in tags][0], ())
    if len(starts) < count or 0 in starts[:count]:
        return False
    if tags.get(_COMPRESSION, _UNCOMPRESSED) != _UNCOMPRESSED:
        return True
    bits = max(tags.get(_BITS, (1,))) * tags.get(_SAMPLES, 1) // planes
    strip_bytes = -(-columns * bits // 8) * (length - rows * (-(-length // rows) - 1))
    return bool(starts[count - 1] + strip_bytes <= len(content))


def correct_palette(image: Image.Image) -> None:
    """Correct the palette of a decoded TIFF whose colours have 8 bits instead of 16."""
    colours = getattr(image, "tag_v2", {}).get(_COLOUR_MAP, ())
    if image.mode == "P" and colours and max(colours) <= _MAX_8_BIT:
        size = len(colours) // 3
        image.putpalette([colours[i % 3 * size + i // 3] for i in range(3 * size)])


def _strips(image: TiffImageFile, content: bytes) -> Iterator[bytes]:
    for offsets, sizes in _STRIPS:
        pairs = zip(
            image.tag_v2.get(offsets, ()), image.tag_v2.get(sizes, ()), strict=False
        )
        for start, size in pairs:
            yield content[start : start + size]


def _is_valid_zlib(content: bytes) -> bool:
    """Return whether a zlib stream is complete and its checksum is right."""
    decompressor = zlib.decompressobj()
    try:
        while content and not decompressor.eof:
            decompressor.decompress(content, _PIECE_BYTES)
            content = decompressor.unconsumed_tail
    except zlib.error:
        return False
    return decompressor.eof


def _is_valid_jpeg(content: bytes) -> bool:
    """Return whether a JPEG is complete; True if that is unknown.

    libtiff has checked that its size is that of a strip or tile.
    """
    try:
        header = parse_header(content)
    except PhotoError:
        return False
    return header is None or jpeg.find_damage(content, header) is None


@contextmanager
def captured_messages(image: Image.Image) -> Iterator[Callable[[], str]]:
    """Capture the messages that libtiff writes to the standard error of the process.

    Pillow raises only a number. Other formats than TIFF are not captured.

    Yields:
        A function that returns the first message, or an empty text.
    """
    if not isinstance(image, TiffImageFile):
        yield str
        return
    with open(os.memfd_create("libtiff"), "w+b", buffering=0) as file:
        original = os.dup(_STANDARD_ERROR)
        os.dup2(file.fileno(), _STANDARD_ERROR)
        try:
            yield partial(_first_line, file)
        finally:
            os.dup2(original, _STANDARD_ERROR)
            os.close(original)


def _first_line(file: IO[bytes]) -> str:
    file.seek(0)
    text = file.readline().decode(errors="replace").strip()
    return text.removeprefix("tempfile.tif: ").rstrip(".")
