"""Tests of photos with other than 8 bits per sample."""

from typing import Any

import numpy as np
import pytest
from factories import encode
from photo_files import Pixels, accepted, pack, rejected
from PIL import Image
from tiff_files import TiffTags, tiff, tiff_of

WIDTH, HEIGHT = 64, 48
RAMP = np.linspace(0, 1, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
"""Intensities from black to white."""

TOLERANCE = 6
"""Largest error after JPEG compression, of 255 levels."""

MAX, S_MIN, S_MAX = 281, 340, 341
BYTE_ORDERS = pytest.mark.parametrize("order", ["<", ">"])


def levels(white: float, dtype: Any = np.uint16) -> Pixels:
    """Return the ramp with samples from 0 to `white`."""
    scaled = RAMP * white
    return (scaled if np.dtype(dtype).kind == "f" else scaled.round()).astype(dtype)


def rgb(samples: Pixels) -> Pixels:
    return np.dstack([samples, samples, samples])


def assert_ramp(content: bytes, expected: Pixels = RAMP) -> None:
    """Fail if a photo differs from intensities."""
    difference = np.abs(accepted(content) - 255 * expected[..., None])
    assert difference.max() < TOLERANCE


@BYTE_ORDERS
@pytest.mark.parametrize(
    ("samples", "tags"),
    [
        (levels(65535), {}),
        (levels(65535), {MAX: [65535]}),
        (levels(4095), {MAX: [4095]}),
        (levels(1023), {MAX: [1023]}),
        (levels(16383), {MAX: [16383]}),
        (levels(32767, np.int16), {S_MIN: [0], S_MAX: [32767]}),
        (levels(32767, np.int32), {S_MIN: [0], S_MAX: [32767]}),
        (levels(2**31 - 1, np.int32), {S_MIN: [0], S_MAX: [2**31 - 1]}),
        (levels(1, np.float32), {S_MIN: [0.0], S_MAX: [1.0]}),
        (levels(255, np.float32), {S_MAX: [255.0]}),
        (levels(1, np.float32) - 1, {S_MIN: [-1.0], S_MAX: [0.00001]}),
        (rgb(levels(65535)), {262: [2]}),
        (np.dstack([levels(65535)] * 4), {262: [2], 338: [0]}),
    ],
    ids=[
        "uint16",
        "uint16 with white level",
        "12 bits in 16",
        "10 bits in 16",
        "14 bits in 16",
        "int16",
        "int32 with 15 bits",
        "int32",
        "float",
        "float up to 255",
        "float below zero",
        "RGB, 16 bits",
        "RGB and another channel, 16 bits",
    ],
)
def test_white_level_is_applied(samples: Pixels, tags: TiffTags, order: str) -> None:
    assert_ramp(tiff_of(samples, order, tags=tags))


def test_uint32_is_decoded() -> None:
    assert_ramp(tiff_of(levels(2**32 - 1, np.uint32)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_negative_is_inverted(dtype: Any) -> None:
    white = np.iinfo(dtype).max
    assert_ramp(tiff_of(white - levels(white, dtype), photometric=0))


def test_negative_of_12_bits_is_inverted() -> None:
    content = tiff_of(4095 - levels(4095), photometric=0, tags={MAX: [4095]})
    assert_ramp(content)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 12])
@pytest.mark.parametrize("photometric", [0, 1])
def test_packed_samples_are_decoded(bits: int, photometric: int) -> None:
    white = 2**bits - 1
    samples = levels(white)
    stored = samples if photometric else white - samples
    strip = b"".join(pack(row, bits) for row in stored)
    content = tiff([strip], (WIDTH, HEIGHT), {258: [bits], 262: [photometric]})
    if (bits, photometric) == (12, 0):
        assert rejected(content).startswith(
            "unsupported TIFF: unsigned samples of 12 bits"
        )
        return
    expected = samples[..., None] * (255 / white)
    assert np.abs(accepted(content) - expected).mean() < TOLERANCE


def test_white_level_that_is_only_the_largest_sample_is_ignored() -> None:
    content = tiff_of(levels(32000), tags={MAX: [32000]})
    assert_ramp(content, RAMP * 32000 / 65535)


@pytest.mark.parametrize("level", [0, 2**14, 2**15, 2**16 - 1])
@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_level_of_a_uniform_photo_is_kept(level: int, file_format: str) -> None:
    image = Image.fromarray(np.full((HEIGHT, WIDTH), level, np.uint16))
    expected = np.full((HEIGHT, WIDTH), level / 65535)
    assert_ramp(encode(image, file_format), expected)


def test_samples_that_are_not_numbers_are_white() -> None:
    samples = np.full((HEIGHT, WIDTH), np.nan, np.float32)
    samples[:, ::2] = np.inf
    assert_ramp(tiff_of(samples, tags={S_MAX: [1.0]}), np.ones((HEIGHT, WIDTH)))


@BYTE_ORDERS
@pytest.mark.parametrize(
    ("samples", "tags", "expected"),
    [
        (levels(4095), {}, "16-bit samples of which only 12 bits are used"),
        (rgb(levels(1023)), {262: [2]}, "16-bit samples of which only 10 bits are used"),
        (levels(32767, np.int16), {}, "16-bit signed samples: the white level is unknown"),
        (levels(32767, np.int32), {}, "32-bit signed samples: the white level is unknown"),
        (levels(1, np.float32), {}, "32-bit floating-point samples: the white level is"),
        (levels(1, np.float32), {S_MIN: [1.0], S_MAX: [1.0]}, "the white level is unknown"),
        (levels(127, np.int8), {}, "8-bit signed samples: the white level is unknown"),
        (rgb(levels(4095)), {262: [2], MAX: [4095] * 3}, "from 0 to 4095 in several"),
    ],
    ids=[
        "12 bits in 16",
        "RGB, 10 bits in 16",
        "int16",
        "int32",
        "float",
        "float with an empty range",
        "int8",
        "RGB, 12 bits in 16",
    ],
)  # fmt: skip
def test_unknown_white_level_is_reported(
    samples: Pixels, tags: TiffTags, expected: str, order: str
) -> None:
    error = rejected(tiff_of(samples, order, tags=tags))
    assert expected in error
    assert "convert the photo to 8 bits" in error


@BYTE_ORDERS
@pytest.mark.parametrize(
    ("samples", "photometric", "expected"),
    [
        (levels(1, np.float64), 1, "floating-point samples of 64 bits, 1 per pixel"),
        (levels(1, np.float16), 1, "floating-point samples of 16 bits, 1 per pixel"),
        (levels(2**40, np.uint64), 1, "unsigned samples of 64 bits, 1 per pixel"),
        (rgb(levels(9, np.int16)), 2, "signed samples of 16 bits, 3 per pixel"),
        (rgb(levels(1, np.float32)), 2, "floating-point samples of 32 bits, 3 per pixel"),
        (rgb(levels(9, np.uint32)), 2, "unsigned samples of 32 bits, 3 per pixel"),
        (np.dstack([levels(255, np.uint8)] * 5), 1, "unsigned samples of 8 bits, 5 per"),
        (np.dstack([levels(65535)] * 5), 1, "unsigned samples of 16 bits, 5 per pixel"),
        (np.dstack([levels(65535)] * 2), 1, "unsigned samples of 16 bits, 2 per pixel"),
        (levels(65535), 32803, "photometric interpretation 32803"),
        (rgb(levels(65535)), 32845, "photometric interpretation 32845"),
    ],
    ids=lambda value: None if isinstance(value, np.ndarray) else str(value),
)  # fmt: skip
def test_unsupported_tiff_is_reported_in_standard_terms(
    samples: Pixels, photometric: int, expected: str, order: str
) -> None:
    error = rejected(tiff_of(samples, order, photometric))
    assert error.startswith("unsupported TIFF: ")
    assert expected in error
    assert error.endswith("; convert the photo to JPEG or PNG with 8 bits")


def test_further_channels_of_8_bits_are_ignored() -> None:
    five = np.dstack([levels(255, np.uint8)] * 5)
    assert_ramp(tiff_of(five, photometric=2, tags={338: [0, 0]}))
    two = np.dstack([levels(255, np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)])
    assert_ramp(tiff_of(two, tags={338: [0]}))
