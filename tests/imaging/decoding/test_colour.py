import io
from typing import Any

import numpy as np
import pytest
from factories import encode
from icc_profiles import (
    SPACES,
    cmyk_profile,
    encode_srgb,
    grey_profile,
    lab_to_srgb,
    profile,
    rgb_profile,
    to_srgb,
)
from photo_files import accepted, chunk, replaced, textured, uniform
from PIL import Image, ImageCms

from fruits_pipeline.imaging.canonical import CanonicalPhoto, canonicalise

TOLERANCE = 3
"""Largest difference from the definition of a colour space, of 255 levels."""

PROFILES = {name: rgb_profile(space) for name, space in SPACES.items()}
OTHERS = [name for name in SPACES if name != "sRGB"]
COLOURS = [
    (200, 120, 40),
    (120, 150, 90),
    (235, 140, 30),
    (128, 128, 128),
    (100, 100, 110),
]
EXACT: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
    "TIFF": {},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
    "HEIF": {"quality": 100, "chroma": 444},
}


def assert_colour(content: bytes, expected: Any) -> None:
    pixels = accepted(content)
    difference = np.abs(pixels - np.asarray(expected))
    assert difference.max() <= TOLERANCE, (pixels[8, 8], expected)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("file_format", EXACT)
def test_profile_is_applied(
    file_format: str, space: str, colour: tuple[int, int, int]
) -> None:
    options = {**EXACT[file_format], "icc_profile": PROFILES[space]}
    content = encode(uniform(colour), file_format, **options)
    assert_colour(content, to_srgb(colour, SPACES[space]))


@pytest.mark.parametrize("size", [(32, 24), (900, 700)])
@pytest.mark.parametrize("space", OTHERS)
@pytest.mark.parametrize("mode", ["P", "RGBA", "CMYK"])
def test_profile_is_applied_to_other_modes(
    mode: str, space: str, size: tuple[int, int]
) -> None:
    colour = (200, 120, 40)
    rgb = uniform(colour, size)
    image = rgb.quantize(4) if mode == "P" else rgb.convert(mode)
    file_format = "TIFF" if mode == "CMYK" else "PNG"
    content = encode(image, file_format, icc_profile=PROFILES[space])
    assert_colour(content, to_srgb(colour, SPACES[space]))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_pixels_are_white_in_any_space(mode: str) -> None:
    for space in OTHERS:
        clear = Image.new(mode, (32, 24))
        assert_colour(encode(clear, icc_profile=PROFILES[space]), (255, 255, 255))


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF"])
def test_profile_of_a_grey_photo_is_applied(file_format: str, gamma: float) -> None:
    for level in (40, 128, 220):
        image = Image.new("L", (32, 24), level)
        content = encode(image, file_format, icc_profile=grey_profile(gamma))
        assert_colour(content, [encode_srgb((level / 255) ** gamma)] * 3)


def test_profile_of_a_16_bit_photo_is_applied() -> None:
    image = Image.fromarray(np.full((24, 32), 128 * 257, np.uint16))
    for file_format in ("PNG", "TIFF"):
        content = encode(image, file_format, icc_profile=grey_profile(1.0))
        assert_colour(content, [encode_srgb(128 / 255)] * 3)


@pytest.mark.parametrize("space", OTHERS)
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF"])
def test_rgb_profile_is_applied_to_a_grey_photo(file_format: str, space: str) -> None:
    image = Image.new("L", (32, 24), 128)
    content = encode(image, file_format, icc_profile=PROFILES[space])
    assert_colour(content, to_srgb((128, 128, 128), SPACES[space]))


INKS = {0b0000: (100, 0, 0), 0b1000: (60, -20, -30), 0b0010: (90, 0, 60)}


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
@pytest.mark.parametrize("inks", INKS)
def test_profile_of_inks_is_applied(inks: int, file_format: str) -> None:
    icc = cmyk_profile(lambda i: INKS.get(i, (20, 0, 0)))
    cmyk = [255 * (inks >> shift & 1) for shift in (3, 2, 1, 0)]
    options = {"quality": 100, "subsampling": 0} if file_format == "JPEG" else {}
    image = uniform(cmyk, mode="CMYK")
    content = encode(image, file_format, icc_profile=icc, **options)
    assert_colour(content, lab_to_srgb(*INKS[inks]))


GOOD = PROFILES["ProPhoto"]
UNUSABLE = {
    "empty": b"",
    "text": b"not a profile",
    "zeros": bytes(500),
    "cut in the header": GOOD[:100],
    "cut in the tags": GOOD[:200],
    "cut at the end": GOOD[:-30],
    "wrong signature": replaced(GOOD, 36, b"xxxx"),
    "wrong number of tags": replaced(GOOD, 128, b"\xff\xff\xff\xff"),
    "wrong position of a tag": replaced(GOOD, 148, b"\xff\xff\xff\xff"),
    "zeros after the header": replaced(GOOD, 128, bytes(300)),
    "without tags": profile(b"mntr", b"RGB ", b"XYZ ", {}),
    "of a grey photo": grey_profile(1.0),
    "of inks": cmyk_profile(lambda _: (50, 0, 0)),
    "unknown colour space": replaced(GOOD, 16, b"XCLR"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_profile_of_a_jpeg_is_ignored(name: str) -> None:
    content = encode(textured((60, 40)), "JPEG", icc_profile=UNUSABLE[name] or None)
    assert canonicalise(content, 256, 64) == CanonicalPhoto(60, 40, content)


@pytest.mark.parametrize("name", UNUSABLE)
@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_unusable_profile_is_ignored(file_format: str, name: str) -> None:
    options = {**EXACT[file_format], "icc_profile": UNUSABLE[name] or None}
    colour = (200, 120, 40)
    assert_colour(encode(uniform(colour), file_format, **options), colour)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 95}])
def test_srgb_jpeg_is_kept_byte_for_byte(options: dict[str, Any]) -> None:
    of_pillow = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for icc in (PROFILES["sRGB"], of_pillow):
        content = encode(textured((60, 40)), "JPEG", icc_profile=icc, **options)
        assert canonicalise(content, 256, 64) == CanonicalPhoto(60, 40, content)


def test_canonical_photo_has_no_profile() -> None:
    photo = canonicalise(
        encode(textured((60, 40)), "JPEG", icc_profile=PROFILES["Display P3"]), 256, 64
    )
    assert photo.image is not None
    assert "icc_profile" not in Image.open(io.BytesIO(photo.image)).info
    assert canonicalise(photo.image, 256, 64).image == photo.image


def test_profile_in_several_segments_of_a_jpeg_is_applied() -> None:
    colour, space = (200, 120, 40), SPACES["ProPhoto"]
    padded = PROFILES["ProPhoto"].ljust(150_000, b"\0")
    size = len(padded).to_bytes(4, "big")
    content = encode(
        uniform(colour), "JPEG", icc_profile=size + padded[4:], **EXACT["JPEG"]
    )
    assert content.count(b"ICC_PROFILE\0") == 3
    assert_colour(content, to_srgb(colour, space))


def test_profile_of_a_png_prevails_over_its_chunk_srgb() -> None:
    colour = (200, 120, 40)
    content = encode(uniform(colour), icc_profile=PROFILES["Adobe RGB"])
    position = content.index(b"IDAT") - 4
    both = content[:position] + chunk(b"sRGB", b"\0") + content[position:]
    assert_colour(both, to_srgb(colour, SPACES["Adobe RGB"]))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF"])
def test_profile_is_applied_to_all_of_a_large_photo(file_format: str) -> None:
    image = textured((1500, 1100), cells=3)
    options = {**EXACT[file_format], "icc_profile": PROFILES["Display P3"]}
    found = accepted(encode(image, file_format, **options), 128)
    small = np.asarray(image.resize((175, 128), Image.Resampling.BICUBIC))
    pixels = small.reshape(-1, 3)
    expected = np.array(
        [to_srgb(pixel, SPACES["Display P3"]) for pixel in pixels[::37]]
    )
    difference = np.abs(found.reshape(-1, 3)[::37] - expected)
    assert difference.mean() < TOLERANCE
