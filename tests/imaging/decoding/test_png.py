import io
import zlib

import numpy as np
import pytest
from factories import encode
from photo_files import (
    GREY,
    PALETTE,
    RGB,
    accepted,
    chunk,
    png,
    png_header,
    png_of,
    rejected,
    replaced,
    scanlines,
    textured,
)
from PIL import Image

ORANGE = (200, 120, 40)
SIZE = (32, 24)
PIXELS = np.full((24, 32, 3), ORANGE, np.uint8)
TEXTURED = np.asarray(textured((61, 47)))
TOLERANCE = 4
"""Largest error of a uniform colour after JPEG compression, of 255 levels."""


def assert_colour(content: bytes, expected: tuple[int, ...]) -> None:
    pixels = accepted(content)
    np.testing.assert_allclose(
        pixels, np.broadcast_to(expected, pixels.shape), atol=TOLERANCE
    )


XMP = b"XML:com.adobe.xmp\0"
LARGE = b"x" * 9_000_000
UNNEEDED_CHUNKS = {
    "wrong CRC in tEXt": chunk(b"tEXt", b"Comment\0text", crc=1),
    "wrong CRC in gAMA": chunk(b"gAMA", b"\0\0\1\0", crc=1),
    "wrong CRC in iCCP": chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(500)), crc=1),
    "wrong CRC in eXIf": chunk(b"eXIf", b"MM\0*\0\0\0\x08", crc=1),
    "wrong CRC in tIME": chunk(b"tIME", bytes(7), crc=1),
    "wrong CRC in pHYs": chunk(b"pHYs", bytes(9), crc=1),
    "large tEXt": chunk(b"tEXt", b"Comment\0" + LARGE),
    "large zTXt": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LARGE)),
    "large iTXt": chunk(b"iTXt", XMP + b"\0\0\0\0" + LARGE),
    "large compressed iTXt": chunk(b"iTXt", XMP + b"\1\0\0\0" + zlib.compress(LARGE)),
    "large EXIF as text": chunk(
        b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(LARGE)
    ),
    "large iCCP": chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(3_000_000))),
    "iCCP that is not compressed": chunk(b"iCCP", b"p\0\0" + bytes(100)),
    "iTXt without text": chunk(b"iTXt", XMP),
    "empty chunks": chunk(b"tEXt", b"") + chunk(b"zTXt", b"") + chunk(b"iTXt", b""),
    "EXIF that is not EXIF": chunk(b"eXIf", b"nothing"),
    "private chunk": chunk(b"prVt", bytes(1000)),
    "more text than Pillow accepts": chunk(b"tEXt", b"Comment\0" + LARGE) * 8,
}


@pytest.mark.parametrize("name", UNNEEDED_CHUNKS)
def test_unneeded_chunk_is_ignored(name: str) -> None:
    assert_colour(png(PIXELS, chunks=[UNNEEDED_CHUNKS[name]]), ORANGE)


GOOD = png(PIXELS)
UNTIDY = {
    "without IEND": GOOD[:-12],
    "IEND is cut": GOOD[:-6],
    "wrong CRC in IEND": replaced(GOOD, len(GOOD) - 1, b"x"),
    "bytes after IEND": GOOD + b"x" * 1000,
    "another PNG after IEND": GOOD + GOOD,
    "bytes after the zlib stream": png_header(SIZE, 8, RGB)
    + chunk(b"IDAT", zlib.compress(b"".join(scanlines(PIXELS, 8))) + b"rest")
    + chunk(b"IEND", b""),
    "more rows than declared": png_of(
        scanlines(PIXELS, 8) * 2, png_header(SIZE, 8, RGB)
    ),
    "IDAT in parts": png_header(SIZE, 8, RGB)
    + b"".join(
        chunk(b"IDAT", bytes([byte]))
        for byte in zlib.compress(b"".join(scanlines(PIXELS, 8)))
    )
    + chunk(b"IEND", b""),
}


@pytest.mark.parametrize("name", UNTIDY)
def test_untidy_png_with_all_pixels_is_accepted(name: str) -> None:
    assert_colour(UNTIDY[name], ORANGE)


def with_wrong_crc(content: bytes, kind: bytes) -> bytes:
    """Return a PNG with a wrong checksum in the first chunk of a kind."""
    start = content.index(kind) - 4
    end = start + 8 + int.from_bytes(content[start : start + 4], "big")
    return replaced(content, end, bytes([content[end] ^ 1]))


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE", b"IDAT"])
def test_wrong_checksum_of_a_chunk_with_pixels_is_reported(kind: bytes) -> None:
    palette = encode(Image.fromarray(PIXELS).quantize(4))
    error = rejected(with_wrong_crc(palette, kind))
    assert error == f"damaged PNG: wrong checksum in chunk {kind.decode()}"


ROWS = scanlines(TEXTURED, 8)
TEXTURED_HEADER = png_header((61, 47), 8, RGB)
INTERLACED_ROWS = scanlines(TEXTURED, 8, interlaced=True)
INTERLACED_HEADER = png_header((61, 47), 8, RGB, interlaced=True)
STREAM = zlib.compress(b"".join(ROWS))


@pytest.mark.parametrize(
    "content",
    [
        png_of(ROWS[:-1], TEXTURED_HEADER),
        png_of(ROWS[:1], TEXTURED_HEADER),
        png_of([*ROWS[:-1], ROWS[-1][:-1]], TEXTURED_HEADER),
        png_of(INTERLACED_ROWS[:-1], INTERLACED_HEADER),
        png_of(INTERLACED_ROWS[:40], INTERLACED_HEADER),
        png_of(INTERLACED_ROWS[:6], INTERLACED_HEADER),
        TEXTURED_HEADER + chunk(b"IDAT", STREAM[: len(STREAM) // 2]) + chunk(b"IEND", b""),
        TEXTURED_HEADER + chunk(b"IDAT", replaced(STREAM, len(STREAM) - 2, b"xx")),
        TEXTURED_HEADER + chunk(b"IDAT", replaced(STREAM, len(STREAM) // 2, bytes(99))),
        TEXTURED_HEADER + chunk(b"IDAT", b"") + chunk(b"IEND", b""),
        TEXTURED_HEADER + chunk(b"IEND", b""),
        TEXTURED_HEADER,
        png(TEXTURED)[:-100],
        png(TEXTURED)[:60],
    ],
    ids=[
        "last row is missing",
        "all rows but one are missing",
        "last sample is missing",
        "last row of the last pass is missing",
        "last passes are missing",
        "only the first pass",
        "zlib stream is cut",
        "wrong Adler-32",
        "part of the zlib stream is zero",
        "empty IDAT",
        "no IDAT",
        "only the header",
        "cut at the end",
        "cut in the pixels",
    ],
)  # fmt: skip
def test_png_without_all_pixels_is_rejected(content: bytes) -> None:
    assert rejected(content).startswith(
        ("damaged PNG: ", "damaged or unsupported PNG: ")
    )


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("colour_type", [GREY, RGB, PALETTE])
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (1, 9), (9, 1), (61, 47)])
def test_black_png_is_accepted(
    size: tuple[int, int], colour_type: int, interlaced: bool
) -> None:
    shape = (*size[::-1], 3) if colour_type == RGB else size[::-1]
    palette = [chunk(b"PLTE", bytes(3))] if colour_type == PALETTE else []
    content = png(
        np.zeros(shape, np.uint8), colour_type, 8, palette, interlaced=interlaced
    )
    assert_colour(content, (0, 0, 0))


@pytest.mark.parametrize("size", [(61, 47), (8, 8), (5, 3), (1, 7), (2, 1)])
def test_interlaced_png_equals_the_same_png_without_interlacing(
    size: tuple[int, int],
) -> None:
    pixels = np.asarray(textured(size, cells=4))
    interlaced = accepted(png(pixels, interlaced=True))
    np.testing.assert_array_equal(interlaced, accepted(png(pixels)))


def test_png_of_apple_is_rejected_with_its_name() -> None:
    apple = GOOD[:8] + chunk(b"CgBI", bytes(4)) + GOOD[8:]
    assert rejected(apple) == "PNG in Apple's format CgBI; convert it to PNG"


def test_animation_becomes_its_default_image() -> None:
    frames = [Image.new("RGB", SIZE, colour) for colour in (ORANGE, (0, 0, 255))]
    for is_default in (False, True):
        content = encode(
            frames[0], save_all=True, append_images=frames[1:], default_image=is_default
        )
        assert_colour(content, ORANGE)


def test_valid_png_is_decoded_like_pillow_does() -> None:
    content = encode(textured((200, 150)), optimize=True)
    expected = np.asarray(Image.open(io.BytesIO(content)))
    assert np.abs(accepted(content) - expected).mean() < 1
