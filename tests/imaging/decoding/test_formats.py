"""Tests of formats, modes and sizes that have no module of their own."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pillow_heif
import pytest
from factories import encode
from photo_files import accepted, bmp, textured, uniform
from PIL import Image

from fruits_pipeline.imaging.canonical import CanonicalPhoto, canonicalise

ORANGE, BLUE, WHITE = (200, 120, 40), (40, 60, 200), (255, 255, 255)
TOLERANCE = 6
"""Largest error of a uniform colour after lossy compression, of 255 levels."""


def assert_colour(content: bytes, expected: Sequence[int]) -> None:
    pixels = accepted(content)
    assert np.abs(pixels - np.asarray(expected)).max() <= TOLERANCE, pixels[0, 0]


@pytest.mark.parametrize("height_sign", [1, -1])
@pytest.mark.parametrize(
    ("alpha", "expected"), [(0, ORANGE), (255, ORANGE), (128, (227, 187, 147))]
)
def test_alpha_of_a_bmp_is_used_unless_it_is_zero(
    alpha: int, expected: tuple[int, int, int], height_sign: int
) -> None:
    pixels = np.full((24, 32, 4), (*ORANGE, alpha), np.uint8)
    assert_colour(bmp(pixels, height_sign), expected)


def test_clear_pixels_of_a_bmp_are_white_if_others_are_opaque() -> None:
    pixels = np.full((24, 32, 4), (*ORANGE, 255), np.uint8)
    pixels[:, :16, 3] = 0
    found = accepted(bmp(pixels))
    assert np.abs(found[:, :8] - 255).max() <= TOLERANCE
    assert np.abs(found[:, 24:] - ORANGE).max() <= TOLERANCE


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_modes_of_bmp_are_read(mode: str) -> None:
    image = textured((33, 21)).convert("RGB").convert(mode)
    expected = np.asarray(image.convert("RGB"))
    assert np.abs(accepted(encode(image, "BMP")) - expected).mean() < 8


ANIMATED = ["GIF", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"]


@pytest.mark.parametrize("file_format", ANIMATED)
def test_animation_becomes_its_first_frame(file_format: str) -> None:
    frames = [uniform(colour) for colour in (ORANGE, BLUE, WHITE)]
    content = encode(frames[0], file_format, save_all=True, append_images=frames[1:])
    assert_colour(content, ORANGE)


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP"])
def test_transparent_first_frame_of_an_animation_is_white(file_format: str) -> None:
    clear = Image.new("RGBA", (32, 24))
    frames = [uniform((*BLUE, 255), mode="RGBA"), uniform((*ORANGE, 255), mode="RGBA")]
    content = encode(clear, file_format, save_all=True, append_images=frames)
    assert_colour(content, WHITE)


def test_transparent_colour_of_a_gif_is_white() -> None:
    image = Image.new("P", (32, 24), 1)
    image.putpalette([*BLUE, *ORANGE])
    assert_colour(encode(image, "GIF"), ORANGE)
    assert_colour(encode(image, "GIF", transparency=0), ORANGE)
    assert_colour(encode(image, "GIF", transparency=1), WHITE)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
@pytest.mark.parametrize(
    ("alpha", "expected"), [(255, ORANGE), (0, WHITE), (128, (227, 187, 147))]
)
def test_transparent_pixels_become_white(
    file_format: str, alpha: int, expected: tuple[int, int, int]
) -> None:
    assert_colour(encode(uniform((*ORANGE, alpha), mode="RGBA"), file_format), expected)


@pytest.mark.parametrize("chroma", [420, 422, 444])
def test_heic_is_decoded(chroma: int) -> None:
    image = textured((200, 151))
    content = encode(image, "HEIF", quality=95, chroma=chroma)
    assert np.abs(accepted(content) - np.asarray(image)).mean() < 4
    photo = canonicalise(content, 64, 64)
    assert (photo.width, photo.height) == (200, 151)


@pytest.mark.parametrize("mode", ["RGB;16", "RGBA;16"])
def test_heic_of_more_than_8_bits_is_decoded(mode: str) -> None:
    image = textured((200, 150)).convert(mode[:-3])
    wide = np.asarray(image).astype(np.uint16) * 257
    heif = pillow_heif.from_bytes(mode, (200, 150), wide.tobytes())
    file = io.BytesIO()
    heif.save(file, quality=95)
    with Image.open(io.BytesIO(file.getvalue())) as opened:
        assert opened.info["bit_depth"] > 8
    found = accepted(file.getvalue())
    assert np.abs(found - np.asarray(image.convert("RGB"))).mean() < 4


def test_grey_heic_is_decoded() -> None:
    grey = textured((200, 150)).convert("L")
    expected = np.asarray(grey.convert("RGB"))
    assert np.abs(accepted(encode(grey, "HEIF", quality=95)) - expected).mean() < 4


def test_main_image_of_a_heic_is_used() -> None:
    file = pillow_heif.from_pillow(uniform(BLUE))
    file.add_from_pillow(uniform(ORANGE))
    buffer = io.BytesIO()
    file.save(buffer, primary_index=1)
    assert_colour(buffer.getvalue(), ORANGE)


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4", "4:0:0"])
def test_avif_is_decoded(subsampling: str) -> None:
    image = textured((200, 151))
    image = image.convert("L").convert("RGB") if subsampling == "4:0:0" else image
    content = encode(image, "AVIF", quality=90, speed=10, subsampling=subsampling)
    assert np.abs(accepted(content) - np.asarray(image)).mean() < 4


@pytest.mark.parametrize(
    "options", [{"lossless": True}, {"exact": True}, {"quality": 9}]
)
def test_webp_is_decoded(options: dict[str, Any]) -> None:
    image = textured((200, 151), cells=3)
    content = encode(image, "WEBP", **options)
    assert np.abs(accepted(content) - np.asarray(image)).mean() < 8


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (7, 3), (700, 3), (3, 700)])
def test_any_size_is_accepted(size: tuple[int, int], mode: str) -> None:
    image = textured(size, cells=2).convert("RGB").convert(mode)
    photo = canonicalise(encode(image), 256, 64)
    assert (photo.width, photo.height) == size
    expected = np.asarray(image.convert("RGB"))
    assert np.abs(accepted(encode(image)) - expected).mean() < 12


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "BMP", "GIF"])
@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1, 65_501), (1, 65_500)),
        ((65_535, 1), (65_500, 1)),
        ((3, 65_535), (3, 65_500)),
    ],
)
def test_longest_side_is_that_of_a_jpeg(
    size: tuple[int, int], expected: tuple[int, int], file_format: str
) -> None:
    content = encode(Image.new("L", size, 200), file_format)
    photo = canonicalise(content, 256, 320)
    assert (photo.width, photo.height) == size
    assert accepted(content).shape == (*expected[::-1], 3)
    assert_colour(content, (200, 200, 200))


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_large_photo_resembles_its_reduction_by_pillow(mode: str) -> None:
    rgb = textured((1600, 1200), cells=12)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 257)
        rgb = rgb.convert("L").convert("RGB")
    else:
        image = rgb.convert(mode)
        rgb = image.convert("RGB")
    content = encode(image, "TIFF" if mode == "CMYK" else "PNG")
    small = rgb.resize((133, 100), Image.Resampling.BICUBIC, reducing_gap=3)
    difference = np.abs(accepted(content, 100) - np.asarray(small))
    assert difference.mean() < 3
    assert np.quantile(difference, 0.999) < 24


@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": "4:4:4"},
        {"subsampling": "4:2:2"},
        {"subsampling": "4:2:0"},
        {"subsampling": "4:1:1"},
        {"progressive": True},
        {"optimize": True},
        {"restart_marker_blocks": 3},
        {"keep_rgb": True},
        {"exif": Image.Exif()},
    ],
    ids=lambda options: next(iter(options)),
)
def test_small_jpeg_is_kept_byte_for_byte(options: dict[str, Any]) -> None:
    content = encode(textured((200, 150)), "JPEG", **options)
    assert canonicalise(content, 256, 64) == CanonicalPhoto(200, 150, content)


@pytest.mark.parametrize("size", [(1, 1), (1, 65_500), (65_500, 2), (2, 3), (17, 9)])
def test_jpeg_of_extreme_size_is_accepted(size: tuple[int, int]) -> None:
    content = encode(Image.new("RGB", size, (200, 120, 40)), "JPEG")
    assert canonicalise(content, 256, 64) == CanonicalPhoto(*size, content)
