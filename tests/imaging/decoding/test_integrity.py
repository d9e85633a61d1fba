"""Tests of damaged photos of all formats; JPEG, PNG and TIFF have further tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import encode
from photo_files import accepted, rejected, replaced, textured
from PIL import Image

from fruits_pipeline.imaging.canonical import canonicalise

DETAILED = textured((400, 300), cells=120)
FILES: dict[str, bytes] = {
    "WebP": encode(DETAILED, "WEBP"),
    "WebP, low quality": encode(DETAILED, "WEBP", quality=30),
    "lossless WebP": encode(textured((400, 300)), "WEBP", lossless=True, method=1),
    "animated WebP": encode(
        DETAILED, "WEBP", save_all=True, append_images=[textured((400, 300))]
    ),
    "GIF": encode(DETAILED, "GIF"),
    "AVIF": encode(DETAILED, "AVIF", speed=10),
    "HEIC": encode(DETAILED, "HEIF"),
    "BMP": encode(DETAILED, "BMP"),
    "PNG": encode(DETAILED, "PNG"),
    "JPEG": encode(DETAILED, "JPEG"),
    "TIFF": encode(DETAILED, "TIFF"),
}
UNCOMPRESSED = {"BMP", "TIFF"}
COMPRESSED = sorted(FILES.keys() - UNCOMPRESSED)


@pytest.mark.parametrize("name", FILES)
def test_intact_photo_is_accepted(name: str) -> None:
    found = accepted(FILES[name], 300)
    assert found.shape == (300, 400, 3)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.97])
@pytest.mark.parametrize("name", FILES)
def test_cut_photo_is_rejected(name: str, share: float) -> None:
    content = FILES[name]
    error = rejected(content[: int(share * len(content))])
    assert error.startswith("damaged ")


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("name", FILES)
def test_download_that_ends_early_is_rejected(name: str, share: float) -> None:
    content = FILES[name]
    start = int(share * len(content))
    if name not in UNCOMPRESSED:
        rejected(replaced(content, start, bytes(len(content) - start)))


@pytest.mark.parametrize("share", [0.2, 0.4, 0.5, 0.6, 0.8])
@pytest.mark.parametrize("name", sorted({*COMPRESSED} - {"lossless WebP", "GIF"}))
def test_zeros_among_compressed_pixels_are_rejected(name: str, share: float) -> None:
    content = FILES[name]
    assert "damaged " in rejected(
        replaced(content, int(share * len(content)), bytes(512))
    )


def with_metadata(file_format: str, **options: Any) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "\0" * 2000  # image description
    return encode(DETAILED, file_format, exif=exif.tobytes(), **options)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_zeros_in_metadata_are_not_damage(file_format: str) -> None:
    content = with_metadata(file_format)
    assert bytes(256) in content
    accepted(content)


@pytest.mark.parametrize("lost", [b"\0", b"\xff", b" "])
@pytest.mark.parametrize("file_format", ["AVIF", "HEIF"])
def test_lost_end_is_found_beside_zeros_in_metadata(
    file_format: str, lost: bytes
) -> None:
    content = with_metadata(file_format)
    half = len(content) // 2
    rejected(content[:half] + lost * (len(content) - half))


def cut_out(mode: str = "RGB") -> Image.Image:
    """Return a detailed photo on a large background of one colour."""
    image = Image.new(mode, (2400, 1800), "white")
    image.paste(DETAILED, (2000, 1500))
    return image


LARGE_AREAS: dict[str, Callable[[], bytes]] = {
    "WebP": lambda: encode(cut_out(), "WEBP"),
    "transparent WebP": lambda: encode(cut_out("RGBA"), "WEBP"),
    "black WebP": lambda: encode(Image.new("RGB", (3000, 2000)), "WEBP"),
    "lossless WebP": lambda: encode(cut_out(), "WEBP", lossless=True, method=0),
    "animated WebP": lambda: encode(
        cut_out(), "WEBP", save_all=True, append_images=[cut_out().rotate(180)]
    ),
    "AVIF": lambda: encode(cut_out(), "AVIF", speed=10),
    "HEIC": lambda: encode(cut_out(), "HEIF"),
    "GIF": lambda: encode(cut_out(), "GIF"),
    "PNG": lambda: encode(cut_out(), "PNG"),
    "PNG in one colour": lambda: encode(Image.new("RGB", (3000, 2000), "white"), "PNG"),
}


@pytest.mark.parametrize("name", LARGE_AREAS)
def test_large_area_of_one_colour_is_not_damage(name: str) -> None:
    content = LARGE_AREAS[name]()
    accepted(content)
    if name.endswith("WebP"):
        assert bytes(256) in content


def test_animation_that_is_cut_after_its_first_frame_is_accepted() -> None:
    frames = [textured((60, 40), seed) for seed in range(3)]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    first = encode(frames[0], "GIF")
    pixels = accepted(content[: len(first) + 40])
    assert np.abs(pixels - np.asarray(frames[0].quantize().convert("RGB"))).mean() < 8


def test_gif_without_trailer_is_accepted() -> None:
    accepted(FILES["GIF"][:-1])


@pytest.mark.parametrize("name", FILES)
def test_bytes_after_the_end_are_accepted(name: str) -> None:
    expected = accepted(FILES[name])
    np.testing.assert_array_equal(accepted(FILES[name] + b"x" * 1000), expected)


@pytest.mark.parametrize("dataset", ["grocery", "fruits-360"])
def test_real_photos_are_accepted(shared: Path, dataset: str) -> None:
    files = sorted((shared / dataset).rglob("*.jpg"))
    for file in files[:: len(files) // 250]:
        content = file.read_bytes()
        photo = canonicalise(content, 256, 320)
        assert photo.error is None, f"{file}: {photo.error}"
        if dataset == "fruits-360":
            assert photo.image == content, file


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
@pytest.mark.parametrize("dataset", ["grocery", "fruits-360"])
def test_zeros_in_real_photos_are_rejected(
    shared: Path, dataset: str, share: float
) -> None:
    files = sorted((shared / dataset).rglob("*.jpg"))
    for file in files[:: len(files) // 30]:
        content = file.read_bytes()
        start = content.index(b"\xff\xda")
        position = start + int(share * (len(content) - start))
        damaged = replaced(content, position, bytes(512))[: len(content)]
        assert canonicalise(damaged, 256, 320).image is None, file
