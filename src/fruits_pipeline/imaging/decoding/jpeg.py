"""Decode ordinary JPEGs with libjpeg-turbo, and find damage in others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import simplejpeg

from fruits_pipeline.imaging.decoding.errors import PhotoError
from fruits_pipeline.imaging.decoding.jpeg_header import END, START, JpegHeader
from fruits_pipeline.imaging.decoding.lost import ERASED, LOST

_JFIF = bytes.fromhex("ffe00010 4a46494600 0101 00 0001 0001 0000")
_NORMAL_BITS = 8
_TRANSFORM, _YCC, _YCCK = 15, 1, 2  # position and values of Adobe's colour transform
_HUFFMAN_TABLES, _AC_TABLE, _END_OF_BLOCK = 0xC4, 0x10, 0x00
_CODE_COUNTS = 17  # bytes of the class and the numbers of codes by length
_SELECTION = bytes([0, 63, 0])  # all coefficients, with all bits
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_ERASED = re.compile(
    rb"\xff{256,}(?!\xff|[\xc4\xd0-\xd7\xd9-\xdb\xdd\xe0-\xef\xfe]|\Z)"
)
"""Erased flash memory; fill bytes precede a marker or the end."""

_WARNING = "Corrupt JPEG data: "  # beginning of most warnings (jerror.h)
_MISSING_TABLE = "was not defined"  # in strips of a TIFF, which may share tables
_UNSUPPORTED = ("Could not determine", "Unsupported color conversion")
"""Parts of messages about files that Pillow may decode."""


class UnsupportedJpegError(ValueError):
    """A JPEG that libjpeg-turbo does not support."""


def is_intact(content: bytes, header: JpegHeader) -> bool:
    """Return whether an ordinary JPEG is decoded without any warning."""
    if _has_lost_part(content, header):
        return False
    try:
        # At 1/8 scale, all bytes are read, and it is faster than at full scale.
        simplejpeg.decode_jpeg(content, min_width=1, min_height=1, min_factor=8)
    except ValueError:
        return False
    return True


def decode(content: bytes, header: JpegHeader, min_side: int) -> np.ndarray:
    """Decode an ordinary JPEG, at reduced size if it is large.

    Bytes after the end, bytes between the segments of the header, and a missing end
    marker are accepted.

    Args:
        content: The file.
        header: Its header.
        min_side: Minimum of the shorter side of the result, if the photo is as large.
            Sizes are divided by 2, 4 or 8.

    Returns:
        Pixels as stored, `uint8 [h, w, 3]`, or `[h, w, 4]` for four components.

    Raises:
        PhotoError: Pixels are missing or damaged.
        UnsupportedJpegError: libjpeg-turbo does not support the file.
    """
    if _has_lost_part(content, header):
        raise PhotoError("damaged JPEG: pixels are missing", header.size)
    try:
        return _decode_tidied(
            content, header, partial(_decode, header=header, min_side=min_side)
        )
    except ValueError as exc:
        if any(text in str(exc) for text in _UNSUPPORTED):
            raise UnsupportedJpegError(str(exc)) from exc
        reason = str(exc).removeprefix(_WARNING)
        raise PhotoError(f"damaged JPEG: {reason}", header.size) from exc


def find_damage(content: bytes, header: JpegHeader) -> str | None:
    """Return what is wrong with the pixels of a JPEG; None if nothing is, or if unknown.

    The JPEG is decoded at full size: at this size, libjpeg-turbo may also be used for
    lossless and arithmetic JPEGs.
    """
    if header.bits != _NORMAL_BITS or not header.mode:
        return None
    if _has_lost_part(content, header):
        return "pixels are missing"
    decode_fully = partial(simplejpeg.decode_jpeg, colorspace=_SPACES[header.mode])
    try:
        _decode_tidied(content, header, decode_fully)
    except ValueError as exc:
        if any(text in str(exc) for text in (*_UNSUPPORTED, _MISSING_TABLE)):
            return None
        return str(exc).removeprefix(_WARNING)
    return None


def decode_damaged(content: bytes, header: JpegHeader, min_side: int) -> np.ndarray:
    """Decode an ordinary JPEG like `decode`; missing pixels are grey."""
    return _decode(content, header, min_side, strict=False)


def _decode(
    content: bytes, header: JpegHeader, min_side: int, strict: bool = True
) -> np.ndarray:
    pixels = simplejpeg.decode_jpeg(
        content,
        "CMYK" if header.mode == "CMYK" else "RGB",
        min_width=min_side,
        min_height=min_side,
        min_factor=2,
        strict=strict,
    )
    return np.asarray(pixels)


def _has_lost_part(content: bytes, header: JpegHeader) -> bool:
    """Return whether the scans of a JPEG contain bytes that no encoder writes.

    These are runs of 0xFF, and of zeros in the only scan. Zero bits encode large areas of one colour if they are the code of the end of a block.
    Otherwise they encode coefficients that no picture has.
    """
    has_zeros = not header.buffer_bytes and content.find(LOST, header.scan_start) >= 0
    if not has_zeros and content.find(ERASED, header.scan_start) < 0:
        return False
    scan = content[header.scan_start :].partition(END)[0]
    if _ERASED.search(scan):
        return True
    symbols = _first_ac_symbols(content, header)
    has_zeros &= LOST in scan.rstrip(b"\0")
    return has_zeros and any(symbol != _END_OF_BLOCK for symbol in symbols)


def _first_ac_symbols(content: bytes, header: JpegHeader) -> Iterator[int]:
    """Yield the symbol with the code of zero bits of each AC table (T.81, B.2.4.2)."""
    for start, end in header.segments:
        table = (
            content[start + 4 : end] if content[start + 1] == _HUFFMAN_TABLES else b""
        )
        while len(table) > _CODE_COUNTS:
            symbols = table[_CODE_COUNTS:]
            if table[0] & _AC_TABLE:
                yield symbols[0]
            table = symbols[sum(table[1:_CODE_COUNTS]) :]


def _decode_tidied(
    content: bytes, header: JpegHeader, decode: Callable[[bytes], np.ndarray]
) -> np.ndarray:
    """Decode the first version of a JPEG that gives no warning.

    Raises:
        ValueError: Each version gives one; its message is that of the last version.
    """
    error = ValueError()
    for version in _attempts(content, header):
        try:
            return decode(version)
        except ValueError as exc:
            error = exc
    raise error


def _attempts(content: bytes, header: JpegHeader) -> Iterator[bytes]:
    """Yield the file, and then versions without harmless irregularities.

    libjpeg reports its first warning only. So these must not hide a later warning.
    """
    yield content
    segments = (content[start:end] for start, end in header.segments)
    start = START + b"".join(_tidy_segment(segment, header) for segment in segments)
    scans = _tidy_scan(content[header.scan_start :], header)
    yield start + scans + END
    # Recorders with files of fixed size fill the rest with zeros.
    yield start + scans.removesuffix(END).rstrip(b"\0") + END


def _tidy_scan(scans: bytes, header: JpegHeader) -> bytes:
    """Correct the spectral selection of the only scan, which libjpeg ignores."""
    if header.buffer_bytes or not header.is_ordinary:
        return scans
    end = 2 + int.from_bytes(scans[2:4], "big")
    return scans[: end - len(_SELECTION)] + _SELECTION + scans[end:]


def _tidy_segment(segment: bytes, header: JpegHeader) -> bytes:
    """Replace unknown versions of JFIF and Adobe's segment, as libjpeg interprets them."""
    if segment[4:9] == b"JFIF\0":
        return _JFIF
    if segment[4:9] == b"Adobe" and len(segment) > _TRANSFORM and segment[_TRANSFORM]:
        transform = bytes([_YCCK if header.mode == "CMYK" else _YCC])
        return segment[:_TRANSFORM] + transform + segment[_TRANSFORM + 1 :]
    return segment
