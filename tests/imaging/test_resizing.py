from itertools import product

import numpy as np
import pytest
from PIL import Image

from fruits_pipeline.imaging import resizing
from fruits_pipeline.imaging.resizing import Box, resize

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (60, 90, 3), np.uint8)
FULL: Box = (0, 0, 90, 60)
SIZES = [(90, 60), (128, 128), (32, 32), (1, 1), (90, 10), (200, 3)]
BOXES: list[Box] = [FULL, (15, 0, 75, 60), (0.5, 10.25, 80, 49.75)]

needs_simd = pytest.mark.skipif(
    resizing.simd is None, reason="cykooz-resizer is available for x86-64 only"
)


@pytest.fixture(params=["simd", "pillow"], autouse=True)
def implementation(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if request.param == "pillow":
        monkeypatch.setattr(resizing, "simd", None)


@pytest.mark.parametrize(("size", "box"), [*product(SIZES, BOXES)])
def test_result_is_within_one_level_of_pillow(size: tuple[int, int], box: Box) -> None:
    width, height = size
    bilinear = Image.Resampling.BILINEAR
    expected = np.asarray(Image.fromarray(NOISE).resize(size, bilinear, box))
    resized = resize(NOISE, width, height, box)
    assert (resized.shape, resized.dtype) == (expected.shape, np.uint8)
    assert np.abs(resized.astype(int) - expected).max() <= 1


def test_photo_of_the_requested_size_is_returned_unchanged() -> None:
    assert resize(NOISE, 90, 60, FULL) is NOISE


def test_box_of_the_requested_size_is_cropped_exactly() -> None:
    cropped = resize(NOISE, 30, 20, (10, 5, 40, 25))
    np.testing.assert_array_equal(cropped, NOISE[5:25, 10:40])


def test_non_contiguous_array_is_resized() -> None:
    transposed = NOISE.transpose(1, 0, 2)
    box: Box = (0, 0, 60, 90)
    expected = resize(np.ascontiguousarray(transposed), 20, 30, box)
    np.testing.assert_array_equal(resize(transposed, 20, 30, box), expected)


@needs_simd
def test_shrinking_does_not_alias() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.ptp(resize(stripes, 8, 8, (0, 0, 64, 64))[:, 2:-2]) <= 1
