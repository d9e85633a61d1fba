"""Random augmentation of training photos, so that studio photos resemble shop photos.

Fruits in front of a white background are cut out and pasted on other backgrounds
(Dwibedi, Misra and Hebert: Cut, Paste and Learn, 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import simplejpeg
from PIL import Image, ImageFilter

from fruits_pipeline.imaging.resizing import resize
from fruits_pipeline.imaging.white_background import (
    foreground_mask,
    has_white_background,
)

PASTE_PROBABILITY = 0.6
"""Share of photos with white background that get another background."""

MAX_FRUITS = 4
"""Largest number of fruits pasted on one background."""

WHITE_BACKGROUND_JITTER = 0.3
"""Strength of colour changes of photos that keep their white background. Their lighting is
controlled, and some labels differ only in colour."""

GREY_WEIGHTS = np.full(3, 1 / 3, np.float32)

Generator = np.random.Generator


def augment(
    photo: np.ndarray,
    size: int,
    sample_photos: Callable[[], Sequence[np.ndarray]],
    rng: Generator,
) -> np.ndarray:
    """Return a randomly cropped, rotated, flipped, recoloured and degraded photo.

    Args:
        photo: Pixels, `uint8 [h, w, 3]`, RGB.
        size: Side of the result in pixels.
        sample_photos: Returns a photo to take a background from, followed by photos of
            the same label to paste beside this one. Called only if `photo` is pasted.
        rng: Source of all randomness.

    Returns:
        Pixels, `uint8 [size, size, 3]`, RGB.
    """
    jitter = 1.0
    if not has_white_background(photo):
        photo = _random_crop(photo, size, rng, min_area=0.25)
    elif _chance(PASTE_PROBABILITY, rng):
        background, *fruits = sample_photos()
        photo = _paste_on_background(photo, fruits, background, size, rng)
    else:
        rotated = _random_rotation(photo, rng, max_angle=180)
        photo = _random_crop(rotated, size, rng, min_area=0.6)
        jitter = WHITE_BACKGROUND_JITTER
    photo = _random_rotation(photo, rng, max_angle=25)
    if _chance(0.5, rng):
        photo = photo[:, ::-1]
    return _degrade(_jitter_colours(photo, jitter, rng), rng)


def _chance(probability: float, rng: Generator) -> bool:
    return bool(rng.random() < probability)


def _paste_on_background(
    photo: np.ndarray,
    fruits: Sequence[np.ndarray],
    background: np.ndarray,
    size: int,
    rng: Generator,
) -> np.ndarray:
    """Paste some of `fruits`, and the fruit of `photo` on top, on a background."""
    canvas = Image.fromarray(_random_background(background, size, rng))
    pasted = [photo, *fruits[: int(rng.integers(MAX_FRUITS))]]
    side = rng.uniform(0.6, 1.2) * size / len(pasted) ** 0.4
    for fruit in reversed(pasted):
        _paste(fruit, canvas, max(8, round(side * rng.uniform(0.8, 1.2))), rng)
    return np.asarray(canvas)


def _random_background(photo: np.ndarray, size: int, rng: Generator) -> np.ndarray:
    """Return a uniform colour, or a blurred crop of a photo."""
    if _chance(0.3, rng):
        uniform = np.empty((size, size, 3), np.uint8)
        uniform[:] = rng.integers(0, 256, 3)
        return uniform
    crop = Image.fromarray(_random_crop(photo, size, rng, min_area=0.05))
    return np.asarray(crop.filter(ImageFilter.GaussianBlur(rng.uniform(0, 4))))


def _paste(fruit: np.ndarray, canvas: Image.Image, side: int, rng: Generator) -> None:
    """Paste a fruit at a random angle and position; a quarter may be outside."""
    rgba = np.dstack([fruit, foreground_mask(fruit)])
    angle = rng.uniform(0, 360)
    rotated = Image.fromarray(rgba).resize((side, side)).rotate(angle)
    slack = canvas.size[0] - side
    low, high = (slack, 0) if slack < 0 else (-side // 4, slack + side // 4)
    left, top = (int(rng.integers(low, high + 1)) for _ in range(2))
    canvas.paste(rotated.convert("RGB"), (left, top), rotated.getchannel("A"))


def _random_crop(
    photo: np.ndarray, size: int, rng: Generator, min_area: float
) -> np.ndarray:
    """Return a rectangle of at least `min_area` of the photo, stretched to a square."""
    height, width = photo.shape[:2]
    area = rng.uniform(min_area, 1) * height * width
    ratio = np.exp(rng.uniform(-0.3, 0.3)) * width / height
    crop_width = min(width, np.sqrt(area * ratio))
    crop_height = min(height, np.sqrt(area / ratio))
    left = rng.uniform(0, width - crop_width)
    top = rng.uniform(0, height - crop_height)
    right, bottom = left + crop_width, top + crop_height
    box = (float(left), float(top), float(right), float(bottom))
    return resize(photo, size, size, box)


def _random_rotation(photo: np.ndarray, rng: Generator, max_angle: float) -> np.ndarray:
    """Rotate half of the photos by up to `max_angle` degrees in either direction."""
    if _chance(0.5, rng):
        return photo
    corner = tuple(int(level) for level in photo[0, 0])
    angle = rng.uniform(-max_angle, max_angle)
    image = Image.fromarray(photo)
    rotated = image.rotate(angle, Image.Resampling.BILINEAR, fillcolor=corner)
    return np.asarray(rotated)


def _jitter_colours(photo: np.ndarray, strength: float, rng: Generator) -> np.ndarray:
    """Change saturation, contrast, white balance, brightness and, rarely, gamma.

    Args:
        photo: Pixels, `uint8 [h, w, 3]`, RGB.
        strength: Factor of all changes, 0 (none) to 1.
        rng: Source of all randomness.
    """

    def factor(max_change: float, count: int = 1) -> np.ndarray:
        limit = strength * max_change
        return 1 + rng.uniform(-limit, limit, count).astype(np.float32)

    levels = photo.astype(np.float32) / 255
    grey = (levels @ GREY_WEIGHTS)[..., np.newaxis]
    levels = grey + (levels - grey) * factor(0.4)
    mean = levels.mean()
    levels = mean + (levels - mean) * factor(0.3)
    levels = np.clip(levels * factor(0.1, 3) * factor(0.35), 0, 1)
    if _chance(0.3, rng):
        levels **= factor(0.4)
    return np.asarray(levels * 255, dtype=np.uint8)


def _degrade(photo: np.ndarray, rng: Generator) -> np.ndarray:
    """Blur some photos, and compress some as JPEGs of low quality."""
    if _chance(0.2, rng):
        blur = ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5))
        photo = np.asarray(Image.fromarray(photo).filter(blur))
    if _chance(0.3, rng):
        quality = int(rng.integers(25, 90))
        content = simplejpeg.encode_jpeg(np.ascontiguousarray(photo), quality)
        photo = simplejpeg.decode_jpeg(content)
    return np.ascontiguousarray(photo)
