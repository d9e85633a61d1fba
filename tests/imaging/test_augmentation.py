import io

import numpy as np
import pytest
from factories import encode
from PIL import Image, ImageDraw

from fruits_pipeline.imaging.augmentation import augment
from fruits_pipeline.imaging.white_background import (
    foreground_mask,
    has_white_background,
)

RED, GREEN = (200, 20, 30), (30, 160, 40)


def studio_photo(highlight: bool = False) -> np.ndarray:
    """Return a red fruit on a white background."""
    photo = Image.new("RGB", (100, 100), (252, 251, 253))
    draw = ImageDraw.Draw(photo)
    draw.ellipse((20, 20, 79, 79), fill=RED)
    if highlight:
        draw.ellipse((45, 45, 54, 54), fill=(255, 255, 255))
    return np.asarray(photo)


def shop_photo(size: tuple[int, int] = (120, 90)) -> np.ndarray:
    """Return green fruits on a dark background."""
    photo = Image.new("RGB", size, (60, 50, 40))
    for left in range(0, size[0], 30):
        ImageDraw.Draw(photo).ellipse((left, 20, left + 25, 60), fill=GREEN)
    return np.asarray(photo)


def sample_photos() -> list[np.ndarray]:
    return [shop_photo(), studio_photo(), studio_photo(), studio_photo()]


def augment_with_seed(photo: np.ndarray, seed: int, size: int = 64) -> np.ndarray:
    return augment(photo, size, sample_photos, np.random.default_rng(seed))


def compressed(photo: np.ndarray) -> np.ndarray:
    content = encode(Image.fromarray(photo), "JPEG", quality=90)
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.mark.parametrize(
    "photo", [studio_photo(), compressed(studio_photo()), studio_photo(highlight=True)]
)
def test_white_background_is_detected(photo: np.ndarray) -> None:
    assert has_white_background(photo)


@pytest.mark.parametrize("photo", [shop_photo(), np.zeros((9, 9, 3), np.uint8)])
def test_dark_background_is_not_white(photo: np.ndarray) -> None:
    assert not has_white_background(photo)


def test_foreground_mask_contains_the_fruit_and_its_highlight() -> None:
    mask = foreground_mask(studio_photo(highlight=True))
    assert mask.shape == (100, 100)
    assert mask[50, 50] == 255  # the highlight
    assert mask[30, 50] == 255
    assert (mask[:18] == 0).all()
    assert (mask[:, :18] == 0).all()
    inside = np.hypot(*np.mgrid[-49.5:50, -49.5:50]) < 27
    assert (mask[inside] == 255).all()


@pytest.mark.parametrize(
    "photo",
    [studio_photo(), shop_photo(), shop_photo((31, 400)), shop_photo((400, 31))],
)
@pytest.mark.parametrize("size", [32, 112])
def test_result_is_a_contiguous_square(photo: np.ndarray, size: int) -> None:
    for seed in range(20):
        result = augment_with_seed(photo, seed, size)
        assert (result.shape, result.dtype) == ((size, size, 3), np.uint8)
        assert result.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("photo", [studio_photo(), shop_photo()])
def test_result_depends_on_the_seed_only(photo: np.ndarray) -> None:
    first, repeated, other = (augment_with_seed(photo, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, repeated)
    assert (first != other).any()


def test_photo_is_not_modified() -> None:
    photo = studio_photo()
    before = photo.copy()
    augment_with_seed(photo, 0)
    np.testing.assert_array_equal(photo, before)


def red_share(photo: np.ndarray) -> float:
    red, green, blue = (photo[..., i].astype(int) for i in range(3))
    return float(((red > 1.6 * green) & (red > 1.6 * blue) & (red > 50)).mean())


def test_fruit_is_pasted_on_other_backgrounds_and_remains_visible() -> None:
    results = [augment_with_seed(studio_photo(), seed) for seed in range(60)]
    pasted = [photo for photo in results if not has_white_background(photo)]
    assert 20 < len(pasted) < 60
    assert np.mean([red_share(photo) > 0.02 for photo in results]) > 0.9


def test_photos_are_sampled_only_to_replace_a_white_background() -> None:
    calls = {"shop": 0, "studio": 0}

    def count_call(kind: str) -> list[np.ndarray]:
        calls[kind] += 1
        return sample_photos()

    for seed in range(60):
        rng = np.random.default_rng(seed)
        augment(shop_photo(), 64, lambda: count_call("shop"), rng)
        augment(studio_photo(), 64, lambda: count_call("studio"), rng)
    assert calls["shop"] == 0
    assert 20 < calls["studio"] < 60
