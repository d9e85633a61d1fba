"""Create photo files with unusual or wrong contents, and decode photos."""

import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fruits_pipeline.imaging.canonical import canonicalise, decode

Pixels = NDArray[Any]
MAX_MIB = 320

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6  # colour types of PNG
_ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)] + [
    (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
]  # fmt: skip

JPEG_END = b"\xff\xd9"

STORED_PIXELS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).T,
    8: lambda a: np.rot90(a, -1),
}
"""Stored pixels of an upright photo, by orientation: CIPA DC-008-2019, section 4.6.4."""


def accepted(content: bytes, short_side: int = 256) -> NDArray[np.int_]:
    """Return the canonical pixels of a photo, `[h, w, 3]`. Fail if it is rejected."""
    photo = canonicalise(content, short_side, MAX_MIB)
    assert photo.error is None, photo.error
    assert photo.image is not None
    return decode(photo.image).astype(int)


def rejected(content: bytes) -> str:
    """Return why a photo is rejected. Fail if it is accepted."""
    photo = canonicalise(content, 256, MAX_MIB)
    assert photo.image is None
    assert photo.error is not None
    return photo.error


def textured(size: tuple[int, int], seed: int = 0, cells: int = 8) -> Image.Image:
    """Return an RGB image of random colours, which change smoothly."""
    colours = np.random.default_rng(seed).integers(0, 256, (cells, cells, 3), np.uint8)
    return Image.fromarray(colours).resize(size, Image.Resampling.BICUBIC)


def uniform(
    colour: Sequence[int], size: tuple[int, int] = (32, 24), mode: str = "RGB"
) -> Image.Image:
    """Return an image of one colour."""
    return Image.new(mode, size, tuple(colour))


def chunk(kind: bytes, body: bytes, crc: int | None = None) -> bytes:
    """Return a chunk of a PNG, with the correct or a given checksum."""
    checksum = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def png_header(
    size: tuple[int, int], bits: int, colour_type: int, interlaced: bool = False
) -> bytes:
    """Return the signature and the first chunk of a PNG."""
    body = struct.pack(">IIBBBBB", *size, bits, colour_type, 0, 0, interlaced)
    return PNG_SIGNATURE + chunk(b"IHDR", body)


def png(
    pixels: Pixels,
    colour_type: int = RGB,
    bits: int = 8,
    chunks: Sequence[bytes] = (),
    interlaced: bool = False,
) -> bytes:
    """Return a PNG.

    Args:
        pixels: Samples, `[h, w]` or `[h, w, channels]`.
        colour_type: Colour type.
        bits: Bits per sample.
        chunks: Chunks before the pixels.
        interlaced: Whether to store the rows in seven passes.
    """
    height, width = pixels.shape[:2]
    header = png_header((width, height), bits, colour_type, interlaced)
    return png_of(scanlines(pixels, bits, interlaced), header, chunks)


def png_of(rows: Sequence[bytes], header: bytes, chunks: Sequence[bytes] = ()) -> bytes:
    """Return a PNG with rows of bytes, and with chunks before them."""
    body = chunk(b"IDAT", zlib.compress(b"".join(rows)))
    return header + b"".join(chunks) + body + chunk(b"IEND", b"")


def scanlines(pixels: Pixels, bits: int, interlaced: bool = False) -> list[bytes]:
    """Return the rows of a PNG as bytes, each after its filter type."""
    passes = _ADAM7 if interlaced else [(0, 0, 1, 1)]
    images = [pixels[top::dy, left::dx] for left, top, dx, dy in passes]
    return [b"\0" + pack(row, bits) for image in images if image.size for row in image]


def pack(row: Pixels, bits: int) -> bytes:
    """Return samples as big-endian bytes, without gaps between samples."""
    samples = np.asarray(row).reshape(-1, 1).astype(">u4").view(np.uint8)
    return np.packbits(np.unpackbits(samples, axis=1)[:, -bits:]).tobytes()


def bmp(pixels: Pixels, height_sign: int = 1) -> bytes:
    """Return a BMP with 32 bits per pixel and the alpha channel of RGBA pixels.

    The sign of the height is negative if the first row is the upper one.
    """
    height, width, _ = pixels.shape
    data = np.ascontiguousarray(pixels[::-height_sign, :, [2, 1, 0, 3]], np.uint8)
    masks = struct.pack("<4I4s48x", 0xFF0000, 0xFF00, 0xFF, 0xFF000000, b"BGRs")
    info = struct.pack(
        "<IiiHHIIiiII", 108, width, height * height_sign, 1, 32, 3, data.nbytes, 0, 0, 0, 0
    )  # fmt: skip
    start = 14 + len(info) + len(masks)
    header = struct.pack("<2sIHHI", b"BM", start + data.nbytes, 0, 0, start)
    return header + info + masks + data.tobytes()


def replaced(content: bytes, start: int, replacement: bytes) -> bytes:
    """Return a file with the bytes from a position on replaced."""
    return content[:start] + replacement + content[start + len(replacement) :]


def segment(marker: int, body: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def start_of(content: bytes, *markers: bytes) -> int:
    """Return the position of the first of some markers of a JPEG."""
    return min(content.index(marker) for marker in markers if marker in content)
