"""Parse the headers of JPEGs, to decide which decoder is used.

Ordinary JPEGs are baseline, extended or progressive, with 8 bits per sample and one, three
or four components. No other JPEG may be decoded at reduced size by libjpeg-turbo, which
writes beyond the end of its buffer if the JPEG is lossless.

Marker codes and segments: ITU-T T.81, annex B.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from fruits_pipeline.imaging.decoding.errors import PhotoError

START, END = b"\xff\xd8", b"\xff\xd9"
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ORDINARY_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive
_PROGRESSIVE = 0xC2
_ORDINARY_BITS = 8
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_TABLES = {0xC4, 0xDB, 0xDD}  # Huffman and quantisation tables, restart interval
_COLOUR_SPACE = {0xE0, 0xEE}  # JFIF, Adobe
_NEEDED = _FRAMES | _TABLES | _COLOUR_SPACE
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_FILL = 0xFF
_NO_FILL = re.compile(rb"[^\xff]")
_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd8]")
"""A marker of a segment, or of the end of the image; others occur within scans."""

_WITHOUT_LENGTH = {0x00, 0x01, *range(0xD0, 0xD9)}
_FRAME_HEADER = struct.Struct(">BHHB")  # bits per sample, height, width, components
_METADATA = {
    0xE1: (b"Exif\0\0", b"http://ns.adobe.com/xap/"),
    0xE2: (b"ICC_PROFILE\0", b"MPF\0"),
}
"""Orientation, colour profile, and list of several images: marker and first bytes."""

MAX_SCANS, USUAL_SCANS = 100, 20
"""Maximum number of scans of small and of large photos; encoders write about 10."""

MAX_WORK = 400_000_000
"""Maximum number of scans times pixels, with more scans than usual; about 2 s."""


class JpegHeader(NamedTuple):
    """The header of a JPEG, up to its first scan.

    Attributes:
        size: Width and height in pixels, as stored.
        bits: Bits per sample.
        components: Number of components.
        mode: L, RGB or CMYK, for one, three or four components; else None.
        is_ordinary: Whether libjpeg-turbo may decode it.
        has_metadata: Whether it may have an orientation or a colour profile, or be the
            first of several images.
        buffer_bytes: Memory for the coefficients of the complete photo, in bytes; 0 if
            the photo has one scan and is decoded row by row.
        segments: Start and end of each segment that decoding needs.
        scan_start: Position of the first scan.
    """

    size: tuple[int, int]
    bits: int
    components: int
    mode: str | None
    is_ordinary: bool
    has_metadata: bool
    buffer_bytes: int
    segments: tuple[tuple[int, int], ...]
    scan_start: int


def parse_header(content: bytes) -> JpegHeader | None:
    """Return the header of a JPEG; None for a file of another format.

    Raises:
        PhotoError: The file ends before its pixels, or has too many scans.
    """
    if not content.startswith(START):
        return None
    try:
        header = _parse_segments(content)
    except (IndexError, ValueError, struct.error):
        raise PhotoError("damaged JPEG: ends before its pixels") from None
    scans = _count_scans(content, header.scan_start)
    width, height = header.size
    limit = MAX_SCANS if scans * width * height <= MAX_WORK else USUAL_SCANS
    if scans > limit:
        raise PhotoError(
            f"JPEG with {scans} scans; expected at most {limit}", header.size
        )
    return header


def _count_scans(content: bytes, scan_start: int) -> int:
    """Return the number of scans before the end marker, counted to `MAX_SCANS` + 1.

    Other data may follow the end marker, such as the video of a motion photo.
    """
    scans, position = 0, scan_start
    while scans <= MAX_SCANS and (found := _MARKER.search(content, position)):
        marker = content[found.start() + 1]
        if marker == _END_OF_IMAGE:
            break
        scans += marker == _START_OF_SCAN
        length = int.from_bytes(content[found.end() : found.end() + 2], "big")
        position = found.end() + length
    return scans


def _parse_segments(content: bytes) -> JpegHeader:
    frame_marker, frame, has_metadata = 0, b"", False
    needed = []
    for marker, start, end in _segments(content):
        if marker == _START_OF_SCAN:
            break
        if marker in _NEEDED:
            needed.append((start - 4, end))
            if marker in _FRAMES:
                frame_marker, frame = marker, content[start:end]
        elif marker in _METADATA:
            has_metadata |= content.startswith(_METADATA[marker], start)
    bits, height, width, components = _FRAME_HEADER.unpack_from(frame)
    mode = _MODES.get(components)
    is_ordinary = frame_marker in _ORDINARY_FRAMES and bits == _ORDINARY_BITS
    is_one_scan = frame_marker != _PROGRESSIVE and content[start] == components
    return JpegHeader(
        size=(width, height),
        bits=bits,
        components=components,
        mode=mode,
        is_ordinary=is_ordinary and mode is not None,
        has_metadata=has_metadata,
        buffer_bytes=0 if is_one_scan else _coefficient_bytes(frame),
        segments=tuple(needed),
        scan_start=start - 4,
    )


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of the body of each segment.

    Raises:
        IndexError, ValueError: The file ends.
    """
    position = len(START)
    while True:
        # Skips bytes between segments, like other decoders.
        position = content.index(b"\xff", position) + 1
        marker = content[position]
        if marker == _FILL:
            found = _NO_FILL.search(content, position)
            position = found.start() - 1 if found else len(content)
            continue
        position += 1
        if marker in _WITHOUT_LENGTH:
            continue
        if marker == _END_OF_IMAGE:
            raise ValueError
        length = content[position] << 8 | content[position + 1]
        yield marker, position + 2, position + length
        position += length


def _coefficient_bytes(frame: bytes) -> int:
    """Return the size of the coefficients, two bytes for each sample of a component."""
    _, height, width, components = _FRAME_HEADER.unpack_from(frame)
    sampling = [divmod(frame[7 + 3 * i], 16) for i in range(components)]
    densest = max(h for h, _ in sampling) * max(v for _, v in sampling)
    samples = sum(h * v for h, v in sampling)
    return int(2 * width * height * samples // max(1, densest))
