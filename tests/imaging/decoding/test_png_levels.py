"""Tests of PNGs with other than 8 bits per sample."""

import numpy as np
import pytest
from photo_files import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    accepted,
    chunk,
    png,
    rejected,
)

ORANGE = (200, 120, 40)
TOLERANCE = 4
"""Largest error of a uniform colour after JPEG compression, of 255 levels."""


def assert_colour(content: bytes, expected: tuple[int, ...]) -> None:
    assert np.abs(accepted(content) - np.asarray(expected)).max() <= TOLERANCE


HALF = 0x8000
WIDE = {
    "grey": (GREY, (HALF,), (), (128,) * 3),
    "grey, transparent": (GREY, (HALF,), (HALF,), (255,) * 3),
    "grey, another level is transparent": (GREY, (HALF,), (HALF + 1,), (128,) * 3),
    "RGB": (RGB, (0xFFFF, HALF, 0), (), (255, 128, 0)),
    "RGB, transparent": (RGB, (0xFFFF, HALF, 0), (0xFFFF, HALF, 0), (255,) * 3),
    "grey and alpha, opaque": (GREY_ALPHA, (HALF, 0xFFFF), (), (128,) * 3),
    "grey and alpha, clear": (GREY_ALPHA, (HALF, 0), (), (255,) * 3),
    "RGBA, opaque": (RGBA, (0xFFFF, HALF, 0, 0xFFFF), (), (255, 128, 0)),
    "RGBA, half transparent": (RGBA, (0, 0, 0, HALF), (), (127,) * 3),
    "RGBA, clear": (RGBA, (0, 0, 0, 0), (), (255,) * 3),
}


@pytest.mark.parametrize("name", WIDE)
def test_16_bit_png_has_the_correct_colours(name: str) -> None:
    colour_type, sample, transparent, expected = WIDE[name]
    pixels = np.full((24, 32, len(sample)), sample, np.uint16)
    level = np.array(transparent, ">u2").tobytes()
    chunks = [chunk(b"tRNS", level)] if transparent else []
    assert_colour(png(pixels, colour_type, 16, chunks), expected)


@pytest.mark.parametrize(
    ("colour_type", "sample"),
    [(GREY, [4095]), (RGB, [4095, 9, 9]), (RGBA, [4095, 9, 9, 65535])],
)
def test_12_bits_in_a_16_bit_png_are_rejected(
    colour_type: int, sample: list[int]
) -> None:
    pixels = np.full((24, 32, len(sample)), sample, np.uint16)
    error = rejected(png(pixels, colour_type, 16))
    assert error.startswith("16-bit samples of which only ")
    assert "the white level is unknown; convert the photo to 8 bits" in error


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("interlaced", [False, True])
def test_png_of_few_bits_has_the_correct_levels(bits: int, interlaced: bool) -> None:
    white = 2**bits - 1
    levels = np.repeat(np.arange(16) % (white + 1), 16).reshape(16, 16).repeat(2, 1)
    expected = np.repeat(levels[..., None], 3, 2) * (255 / white)
    result = accepted(png(levels, GREY, bits, interlaced=interlaced))
    assert np.abs(result - expected).mean() < 5
    palette = chunk(b"PLTE", bytes([0, 0, 0, *ORANGE] * 2**bits)[: 3 * 2**bits])
    content = png(np.ones((24, 32), int), PALETTE, bits, [palette], interlaced)
    assert_colour(content, ORANGE)
