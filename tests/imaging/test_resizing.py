from itertools import product

import numpy as np
import pytest
from PIL import Image

from fruits_pipeline.imaging import resizing
from fruits_pipeline.imaging.resizing import Box, resize

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (60, 90, 3), np.uint8)
WHOLE: Box = (0, 0, 90, 60)
SIZES = [(90, 60), (128, 128), (32, 32), (1, 1), (90, 10), (200, 3)]
BOXES: list[Box] = [WHOLE, (15, 0, 75, 60), (0.5, 10.25, 80, 49.75)]

needs_simd = pytest.mark.skipif(
    resizing.simd is None, reason="cykooz-resizer is built for x86-64 only"
)


@pytest.fixture(params=["simd", "pillow"], autouse=True)
def with_either(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resize with SIMD, then as on a machine that has no build of it."""
    if request.param == "pillow":
        monkeypatch.setattr(resizing, "simd", None)


@pytest.mark.parametrize(("size", "box"), [*product(SIZES, BOXES)])
def test_the_result_is_that_of_pillow_to_one_level(
    size: tuple[int, int], box: Box
) -> None:
    bilinear = Image.Resampling.BILINEAR
    expected = np.asarray(Image.fromarray(NOISE).resize(size, bilinear, box))
    found = resize(NOISE, *size, box)
    assert (found.shape, found.dtype) == (expected.shape, np.uint8)
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_what_has_the_size_already_is_not_resampled() -> None:
    assert resize(NOISE, 90, 60, WHOLE) is NOISE


def test_a_part_of_a_picture_is_that_part() -> None:
    np.testing.assert_array_equal(
        resize(NOISE, 30, 20, (10, 5, 40, 25)), NOISE[5:25, 10:40]
    )


def test_pixels_need_not_lie_side_by_side_in_memory() -> None:
    turned = NOISE.transpose(1, 0, 2)
    found = resize(turned, 20, 30, (0, 0, 60, 90))
    expected = resize(np.ascontiguousarray(turned), 20, 30, (0, 0, 60, 90))
    np.testing.assert_array_equal(found, expected)


@needs_simd
def test_shrinking_does_not_alias() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.ptp(resize(stripes, 8, 8, (0, 0, 64, 64))[:, 2:-2]) <= 1
