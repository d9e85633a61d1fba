import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from fruits_pipeline.imaging.augmentation import augment, cut_out, is_studio

RED, GREEN = (200, 20, 30), (30, 160, 40)


def studio(light: bool = False) -> np.ndarray:
    """Return a red fruit in front of white paper, perhaps with a light on it."""
    photo = Image.new("RGB", (100, 100), (252, 251, 253))
    draw = ImageDraw.Draw(photo)
    draw.ellipse((20, 20, 79, 79), fill=RED)
    if light:
        draw.ellipse((45, 45, 54, 54), fill=(255, 255, 255))
    return np.asarray(photo)


def shop(size: tuple[int, int] = (120, 90)) -> np.ndarray:
    """Return green fruit on a dark shelf."""
    photo = Image.new("RGB", size, (60, 50, 40))
    for left in range(0, size[0], 30):
        ImageDraw.Draw(photo).ellipse((left, 20, left + 25, 60), fill=GREEN)
    return np.asarray(photo)


def others() -> list[np.ndarray]:
    return [shop(), studio(), studio(), studio()]


def jpeg_of(photo: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", quality=90)
    return np.asarray(Image.open(buffer))


@pytest.mark.parametrize("photo", [studio(), jpeg_of(studio()), studio(light=True)])
def test_a_fruit_before_white_is_of_a_studio(photo: np.ndarray) -> None:
    assert is_studio(photo)


@pytest.mark.parametrize("photo", [shop(), np.zeros((9, 9, 3), np.uint8)])
def test_a_shelf_is_of_no_studio(photo: np.ndarray) -> None:
    assert not is_studio(photo)


def test_a_fruit_is_cut_out_and_its_light_stays() -> None:
    mask = cut_out(studio(light=True))
    assert mask.shape == (100, 100)
    assert mask[50, 50] == 255  # the light
    assert mask[30, 50] == 255
    assert (mask[:18] == 0).all()
    assert (mask[:, :18] == 0).all()
    inside = np.hypot(*np.mgrid[-49.5:50, -49.5:50]) < 27
    assert (mask[inside] == 255).all()


@pytest.mark.parametrize("photo", [studio(), shop(), shop((31, 400)), shop((400, 31))])
@pytest.mark.parametrize("size", [32, 112])
def test_any_photo_becomes_a_square_of_pixels(photo: np.ndarray, size: int) -> None:
    for seed in range(20):
        found = augment(photo, size, others, np.random.default_rng(seed))
        assert (found.shape, found.dtype) == ((size, size, 3), np.uint8)
        assert found.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("photo", [studio(), shop()])
def test_the_seed_decides_everything(photo: np.ndarray) -> None:
    first, again, other = (
        augment(photo, 64, others, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_photo_itself_is_left_as_it_is() -> None:
    photo = studio()
    before = photo.copy()
    augment(photo, 64, others, np.random.default_rng(0))
    np.testing.assert_array_equal(photo, before)


def reddish(photo: np.ndarray) -> float:
    red, green, blue = (photo[..., i].astype(int) for i in range(3))
    return float(((red > 1.6 * green) & (red > 1.6 * blue) & (red > 50)).mean())


def test_fruit_is_laid_on_other_backgrounds_and_still_seen() -> None:
    found = [
        augment(studio(), 64, others, np.random.default_rng(seed)) for seed in range(60)
    ]
    elsewhere = [photo for photo in found if not is_studio(photo)]
    assert 20 < len(elsewhere) < 60
    seen = [reddish(photo) > 0.02 for photo in found]
    assert np.mean(seen) > 0.9


def test_a_shelf_needs_no_other_photo() -> None:
    def refuse() -> list[np.ndarray]:
        raise AssertionError("a photo was asked for")

    augment(shop(), 64, refuse, np.random.default_rng(0))
