import io

import numpy as np
import pytest
from factories import encode, jpeg
from PIL import Image, ImageEnhance, ImageFilter

from fruits_pipeline.imaging.quality import measure, measure_pixels


def plain(*colour: int, size: tuple[int, int] = (60, 40)) -> np.ndarray:
    """Return a photo of one colour."""
    return np.full((*size, 3), colour, np.uint8)


@pytest.mark.parametrize(
    ("colour", "brightness", "saturation"),
    [
        ((0, 0, 0), 0, 0),
        ((255, 255, 255), 1, 0),
        ((51, 51, 51), 0.2, 0),
        ((255, 0, 0), 0.299, 1),
        ((0, 102, 51), 0.2576, 0.4),
    ],
)
def test_photo_of_one_colour(
    colour: tuple[int, int, int], brightness: float, saturation: float
) -> None:
    quality = measure_pixels(plain(*colour))
    assert quality.brightness == pytest.approx(brightness, abs=1e-3)
    assert quality.saturation == pytest.approx(saturation, abs=1e-3)
    assert quality.contrast == pytest.approx(0, abs=1e-5)
    assert quality.sharpness == 0


def test_contrast_is_the_standard_deviation_of_the_luma() -> None:
    halves = np.concatenate([plain(0, 0, 0), plain(255, 255, 255)])
    assert measure_pixels(halves).contrast == pytest.approx(0.5)


def test_sharpness_is_that_of_the_formula() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (30, 50, 1), np.uint8)
    luma = grey[:, :, 0] / 255
    inner = luma[1:-1, 1:-1]
    around = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    expected = np.std(4 * inner - around) / np.std(luma)
    found = measure_pixels(np.repeat(grey, 3, axis=2)).sharpness
    assert found == pytest.approx(expected, rel=1e-4)


def scene() -> Image.Image:
    """Return a photo with details of all sizes."""
    return Image.open(io.BytesIO(jpeg(0, size=(300, 256)))).convert("RGB")


def test_blurred_photo_is_less_sharp() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 300, 3), np.uint8)
    photo = Image.fromarray(noise).filter(ImageFilter.GaussianBlur(1))
    blurred = photo.filter(ImageFilter.GaussianBlur(6))
    sharpness = [measure(encode(p, "JPEG")).sharpness for p in (photo, blurred)]
    assert sharpness[1] < sharpness[0] / 2


def test_darker_paler_and_colourless_photos_differ_in_their_measure() -> None:
    photo = scene()
    before = measure(encode(photo, "JPEG"))
    dark = measure(encode(ImageEnhance.Brightness(photo).enhance(0.3), "JPEG"))
    pale = measure(encode(ImageEnhance.Contrast(photo).enhance(0.2), "JPEG"))
    grey = measure(encode(ImageEnhance.Color(photo).enhance(0), "JPEG"))
    assert dark.brightness < before.brightness * 0.4
    assert pale.contrast < before.contrast * 0.3
    assert grey.saturation < 0.01 < before.saturation


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (3, 3), (400, 5), (256, 256)])
def test_photos_of_any_size_are_measured(size: tuple[int, int]) -> None:
    assert np.isfinite(measure(jpeg(0, size=size))).all()


def test_sums_are_exact() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (97, 131, 3), np.uint8)
    luma = pixels.astype(np.int64) @ [306, 601, 117]
    assert measure_pixels(pixels).brightness == luma.sum() / luma.size / (1024 * 255)
