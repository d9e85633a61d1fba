"""Read the size of GIF files, for which Pillow allocates memory when it opens them."""

from __future__ import annotations

import struct

SIGNATURE = b"GIF8"
_SCREEN = struct.Struct("<6xHHB2x")  # width, height, flags
_FRAME = struct.Struct("<HHHH")  # left, top, width, height
_TABLE_FLAG, _TABLE_SIZE = 0x80, 0x07
_EXTENSION, _IMAGE = 0x21, 0x2C


def read_size(content: bytes) -> tuple[int, int]:
    """Return the width and height that the screen and the first frame need.

    Source: GIF89a specification, sections 18 to 23.

    Raises:
        IndexError, struct.error: The file ends before its first frame.
    """
    width, height, flags = _SCREEN.unpack_from(content)
    position = _SCREEN.size
    if flags & _TABLE_FLAG:
        position += 3 * 2 ** (1 + (flags & _TABLE_SIZE))
    while content[position] != _IMAGE:
        position += 1
        if content[position - 1] == _EXTENSION:
            position = _skip_blocks(content, position + 1)
    left, top, frame_width, frame_height = _FRAME.unpack_from(content, position + 1)
    return max(width, left + frame_width), max(height, top + frame_height)


def _skip_blocks(content: bytes, position: int) -> int:
    """Return the position after a sequence of blocks, which an empty block ends."""
    while length := content[position]:
        position += 1 + length
    return position + 1
