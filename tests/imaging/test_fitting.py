import io

import numpy as np
import pytest
from factories import encode
from PIL import Image

from fruits_pipeline.imaging.canonical import canonicalise
from fruits_pipeline.imaging.fitting import Fit, fit

RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)
NAMES = {"red": RED, "green": GREEN, "white": WHITE}


def columns(*colours: tuple[int, int, int]) -> bytes:
    """Return a JPEG of one square of 32 px per colour, from left to right."""
    image = Image.fromarray(np.array([colours], np.uint8))
    size = (32 * len(colours), 32)
    wide = image.resize(size, Image.Resampling.NEAREST)
    return encode(wide, "JPEG", quality=95, subsampling=0)


WIDE = columns(RED, GREEN)


def colours(picture: np.ndarray, *points: tuple[int, int]) -> list[str]:
    def name(colour: np.ndarray) -> str:
        return min(
            NAMES, key=lambda n: int(np.abs(colour.astype(int) - NAMES[n]).sum())
        )

    return [name(picture[y, x]) for y, x in points]


def test_pad_adds_white_borders() -> None:
    points = [(2, 8), (16, 4), (16, 28), (29, 8)]
    assert colours(fit(WIDE, 32, "pad"), *points) == ["white", "red", "green", "white"]


def test_crop_keeps_the_centre() -> None:
    points = [(2, 4), (2, 28), (29, 12), (29, 20)]
    assert colours(fit(WIDE, 32, "crop"), *points) == ["red", "green", "red", "green"]
    content = columns(RED, WHITE, GREEN)
    assert colours(fit(content, 32, "crop"), (16, 3), (16, 28)) == ["white", "white"]


def test_stretch_fills_the_square_with_the_complete_photo() -> None:
    corners = [(0, 0), (31, 0), (0, 31), (31, 31)]
    expected = ["red", "red", "green", "green"]
    assert colours(fit(WIDE, 32, "stretch"), *corners) == expected


@pytest.mark.parametrize("mode", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("size", [(1, 1000), (1000, 1), (1, 1), (33, 32), (700, 500)])
def test_any_aspect_ratio_fits_a_square(size: tuple[int, int], mode: Fit) -> None:
    photo = canonicalise(encode(Image.new("RGB", size, RED), "JPEG"), 256, 64)
    assert photo.image is not None
    pixels = fit(photo.image, 32, mode)
    assert (pixels.shape, pixels.dtype) == ((32, 32, 3), np.uint8)


@pytest.mark.parametrize("mode", ["pad", "crop", "stretch"])
def test_photo_of_the_input_size_is_not_resampled(mode: Fit) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    content = encode(Image.fromarray(noise), "JPEG")
    expected = np.asarray(Image.open(io.BytesIO(content)))
    np.testing.assert_array_equal(fit(content, 64, mode), expected)
