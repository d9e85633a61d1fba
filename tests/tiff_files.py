"""Create TIFF files, of any depth and with any tags (TIFF 6.0)."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from photo_files import Pixels

TiffTags = Mapping[int, Sequence[int] | Sequence[float] | bytes]


def tiff(
    strips: Sequence[bytes],
    size: tuple[int, int],
    tags: TiffTags,
    order: str = "<",
    big: bool = False,
) -> bytes:
    """Return a TIFF.

    Args:
        strips: The strips; or the tiles, if `tags` has their size (322 and 323).
        size: Width and height in pixels.
        tags: Other tags.
        order: Byte order, `<` or `>`.
        big: Whether to write a BigTIFF.
    """
    offsets, counts = (324, 325) if 322 in tags else (273, 279)
    start = 16 if big else 8
    positions = [start + sum(map(len, strips[:i])) for i in range(len(strips))]
    data = b"".join(strips)
    defaults: TiffTags = {
        256: [size[0]], 257: [size[1]], 258: [8], 259: [1], 262: [1], 277: [1],
        278: [size[1]], offsets: positions, counts: [len(s) for s in strips],
    }  # fmt: skip
    directory = _directory({**defaults, **tags}, start + len(data), order, big)
    magic = b"II" if order == "<" else b"MM"
    version = (
        struct.pack(order + "HHH", 43, 8, 0) if big else struct.pack(order + "H", 42)
    )
    address = struct.pack(order + ("Q" if big else "I"), start + len(data))
    return magic + version + address + data + directory


def _directory(tags: TiffTags, start: int, order: str, big: bool) -> bytes:
    """Return a list of tags, and then the values that do not fit into it."""
    count, address, size = ("Q", "Q", 20) if big else ("H", "I", 12)
    inline = struct.calcsize("=" + address)
    end = start + struct.calcsize("=" + count + address) + size * len(tags)
    entries, values = b"", b""
    for tag, value in sorted(tags.items()):
        kind, encoded = _encode_value(value, order)
        entries += struct.pack(order + "HH" + address, tag, kind, len(value))
        if len(encoded) > inline:
            entries += struct.pack(order + address, end + len(values))
            values += encoded
        else:
            entries += encoded.ljust(inline, b"\0")
    ending = struct.pack(order + address, 0)
    return struct.pack(order + count, len(tags)) + entries + ending + values


def _encode_value(value: Sequence[Any] | bytes, order: str) -> tuple[int, bytes]:
    """Return the type of a tag, and its value."""
    if isinstance(value, bytes):
        return 7, value
    kind, code = (11, "f") if isinstance(value[0], float) else (4, "I")
    return kind, struct.pack(f"{order}{len(value)}{code}", *value)


def tiff_of(
    pixels: Pixels, order: str = "<", photometric: int = 1, tags: TiffTags | None = None
) -> bytes:
    """Return an uncompressed TIFF of one strip, with the depth and format of an array."""
    height, width, *channels = pixels.shape
    count = channels[0] if channels else 1
    kind = pixels.dtype.kind
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    defaults: TiffTags = {
        258: [8 * pixels.dtype.itemsize] * count,
        262: [photometric],
        277: [count],
        339: [{"u": 1, "i": 2, "f": 3}[kind]] * count,
    }
    return tiff([data], (width, height), {**defaults, **(tags or {})}, order)
