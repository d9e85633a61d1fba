"""Find lost parts of WebP files, which its decoder does not report.

Chunks: RFC 9649, section 2.
"""

from __future__ import annotations

import io

from PIL import Image

from fruits_pipeline.imaging.decoding.lost import LOST

_FILE_HEADER_BYTES, _CHUNK_HEADER_BYTES, _FRAME_HEADER_BYTES = 12, 8, 16
_SIGNATURE, _FRAME = b"WEBP", b"ANMF"
_UNUSED_BYTES = {b"VP8 ": 32, b"VP8L": 4}
"""Chunks of lossy and lossless pixels; at most that many last bytes are unused.

libwebp leaves up to 3 and 2 bytes unused.
"""


def has_lost_part(content: bytes) -> bool:
    """Return whether a file, decoded without error, is a WebP with damaged pixels."""
    if content[8:12] != _SIGNATURE or LOST not in content:
        return False
    kind, pixels = _first_pixels(content)
    return LOST in pixels and _is_decodable_early(kind, pixels)


def _first_pixels(content: bytes) -> tuple[bytes, bytes]:
    """Return the type and the body of the chunk with the pixels of the first frame."""
    start = _FILE_HEADER_BYTES
    while header := content[start : start + _CHUNK_HEADER_BYTES]:
        kind, size = header[:4], int.from_bytes(header[4:], "little")
        start += _CHUNK_HEADER_BYTES
        if kind in _UNUSED_BYTES:
            return kind, content[start : start + size]
        start += _FRAME_HEADER_BYTES if kind == _FRAME else size + size % 2
    return b"", b""


def _is_decodable_early(kind: bytes, pixels: bytes) -> bool:
    """Return whether the decoder does not need the last bytes of the pixels.

    After a lost part, the decoder takes bytes at wrong positions. So it reports too few
    bytes, or some are left.
    """
    part = pixels[: -_UNUSED_BYTES[kind]]
    chunk = kind + len(part).to_bytes(4, "little") + part + bytes(len(part) % 2)
    file = b"RIFF" + (len(chunk) + 4).to_bytes(4, "little") + _SIGNATURE + chunk
    try:
        with Image.open(io.BytesIO(file), formats=("WEBP",)) as image:
            image.load()
    except Exception:  # Pillow raises many types for damaged files
        return False
    return True
