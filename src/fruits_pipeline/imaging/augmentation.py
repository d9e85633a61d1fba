"""Photos as a phone in a shop might have taken them: for training, as plain functions.

A photo from a studio shows one fruit in front of white; a photo from a shop shows piles
of them in crates, under any light. A fruit that is cut from its white and laid on other
backgrounds, a few at a time, is somewhere between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import simplejpeg
from PIL import Image, ImageFilter

from fruits_pipeline.imaging.resizing import resize

WHITE_FROM = 225
"""Darkest channel of a pixel that may be the paper of a studio."""

SOFT = 24
"""Levels below `WHITE_FROM` over which a fruit fades into its shadow."""

STUDIO_BORDER = 0.8
"""Share of a photo's outermost pixels that is white in a studio."""

LAID = 0.6
"""Share of studio photos that are laid on another background."""

STUDIO_LIGHT = 0.3
"""How much the light of the others changes, relative to that of shops: there is one in a
studio, and some kinds of fruit differ in colour alone."""

MOST_FRUITS = 4

GREY = np.full(3, 1 / 3, np.float32)

Generator = np.random.Generator


def augment(
    photo: np.ndarray,
    size: int,
    others: Callable[[], Sequence[np.ndarray]],
    rng: Generator,
) -> np.ndarray:
    """Return a photo as it might have been taken elsewhere.

    Args:
        photo: `uint8 [h, w, 3]`, RGB.
        size: Side of the result in pixels.
        others: Gives a photo to take a background from, and photos of the same fruit.
        rng: Decides everything.

    Returns:
        `uint8 [size, size, 3]`, RGB.
    """
    light = 1.0
    if not is_studio(photo):
        photo = _crop(photo, size, rng, least=0.25)
    elif _happens(LAID, rng):
        background, *same = others()
        photo = _laid(photo, size, background, same, rng)
    else:
        photo = _crop(_turn(photo, rng, 180), size, rng, least=0.6)
        light = STUDIO_LIGHT
    photo = _turn(photo, rng, 25)
    if _happens(0.5, rng):
        photo = photo[:, ::-1]
    return _camera(_light(photo, light, rng), rng)


def _happens(chance: float, rng: Generator) -> bool:
    return bool(rng.random() < chance)


def is_studio(photo: np.ndarray) -> bool:
    """Say whether a photo's border is white paper.

    Args:
        photo: `uint8 [h, w, 3]`, RGB.
    """
    edges = (photo[0], photo[-1], photo[:, 0], photo[:, -1])
    border = _darkest(np.concatenate(edges))
    return float((border >= WHITE_FROM).mean()) >= STUDIO_BORDER


def _darkest(pixels: np.ndarray) -> np.ndarray:
    """Return the least channel of each pixel; NumPy's own `min` takes ten times as long."""
    red, green, blue = (pixels[..., channel] for channel in range(3))
    return np.asarray(np.minimum(np.minimum(red, green), blue))


def cut_out(photo: np.ndarray) -> np.ndarray:
    """Tell a fruit from the white that surrounds it.

    White that no straight way over white leads to from the border is a light on the
    fruit, and stays.

    Args:
        photo: `uint8 [h, w, 3]`, RGB, of a studio.

    Returns:
        How much of each pixel is fruit, `uint8 [h, w]`, 0 to 255.
    """
    darkest = _darkest(photo).astype(np.int16)
    white = darkest >= WHITE_FROM - SOFT
    reached = np.zeros_like(white)
    for axis in (0, 1):
        reached |= np.logical_and.accumulate(white, axis)
        back = np.flip(white, axis)
        reached |= np.flip(np.logical_and.accumulate(back, axis), axis)
    faded = np.clip((WHITE_FROM - darkest) * 255 // SOFT, 0, 255)
    return _without_rim(np.where(reached, faded, 255).astype(np.uint8))


def _without_rim(mask: np.ndarray) -> np.ndarray:
    """Return a mask that is a pixel smaller: those at the rim are half white."""
    inside = mask.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            np.minimum(inside, np.roll(mask, step, axis), out=inside)
    return inside


def _laid(
    photo: np.ndarray,
    size: int,
    background: np.ndarray,
    same: Sequence[np.ndarray],
    rng: Generator,
) -> np.ndarray:
    """Return a fruit that is cut from its white, and some like it, before a background."""
    canvas = Image.fromarray(_background(background, size, rng))
    fruits = [photo, *same[: int(rng.integers(MOST_FRUITS))]]
    side = rng.uniform(0.6, 1.2) * size / len(fruits) ** 0.4
    for fruit in reversed(fruits):  # the photo's own lies on top
        _lay(fruit, canvas, max(8, round(side * rng.uniform(0.8, 1.2))), rng)
    return np.asarray(canvas)


def _background(photo: np.ndarray, size: int, rng: Generator) -> np.ndarray:
    """Return a plain colour, or a part of a photo out of focus."""
    if _happens(0.3, rng):
        plain = np.empty((size, size, 3), np.uint8)
        plain[:] = rng.integers(0, 256, 3)
        return plain
    part = Image.fromarray(_crop(photo, size, rng, least=0.05))
    return np.asarray(part.filter(ImageFilter.GaussianBlur(rng.uniform(0, 4))))


def _lay(fruit: np.ndarray, canvas: Image.Image, side: int, rng: Generator) -> None:
    layers = np.dstack([fruit, cut_out(fruit)])
    angle = rng.uniform(0, 360)
    turned = Image.fromarray(layers).resize((side, side)).rotate(angle)
    room = canvas.size[0] - side
    low, high = sorted((room, 0)) if room < 0 else (-side // 4, room + side // 4)
    left, top = (int(rng.integers(low, high + 1)) for _ in range(2))
    canvas.paste(turned.convert("RGB"), (left, top), turned.getchannel("A"))


def _crop(photo: np.ndarray, size: int, rng: Generator, least: float) -> np.ndarray:
    """Return a part of a photo, of at least that share of it, stretched to a square."""
    height, width = photo.shape[:2]
    area = rng.uniform(least, 1) * height * width
    ratio = np.exp(rng.uniform(-0.3, 0.3)) * width / height
    part_width = min(width, np.sqrt(area * ratio))
    part_height = min(height, np.sqrt(area / ratio))
    left = rng.uniform(0, width - part_width)
    top = rng.uniform(0, height - part_height)
    right, bottom = left + part_width, top + part_height
    box = (float(left), float(top), float(right), float(bottom))
    return resize(photo, size, size, box)


def _turn(photo: np.ndarray, rng: Generator, most: float) -> np.ndarray:
    """Return a photo turned by up to so many degrees; half of them stay."""
    if _happens(0.5, rng):
        return photo
    picture = Image.fromarray(photo)
    fill = tuple(int(level) for level in photo[0, 0])
    angle = rng.uniform(-most, most)
    return np.asarray(picture.rotate(angle, Image.Resampling.BILINEAR, fillcolor=fill))


def _light(photo: np.ndarray, change: float, rng: Generator) -> np.ndarray:
    """Return a photo under another light: brightness, contrast, saturation, tint.

    Args:
        photo: `uint8 [h, w, 3]`, RGB.
        change: How much of the light changes, 0 to 1.
        rng: Decides everything.
    """

    def about_one(most: float, count: int = 1) -> np.ndarray:
        return 1 + rng.uniform(-change * most, change * most, count).astype(np.float32)

    levels = photo.astype(np.float32) / 255
    grey = (levels @ GREY)[..., np.newaxis]
    levels = grey + (levels - grey) * about_one(0.4)
    middle = levels.mean()
    levels = middle + (levels - middle) * about_one(0.3)
    levels = np.clip(levels * about_one(0.1, 3) * about_one(0.35), 0, 1)
    if _happens(0.3, rng):
        levels **= about_one(0.4)
    return np.asarray(levels * 255, dtype=np.uint8)


def _camera(photo: np.ndarray, rng: Generator) -> np.ndarray:
    """Return a photo as a poor camera stores it: blurred, and JPEG at a low quality."""
    if _happens(0.2, rng):
        blur = ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5))
        photo = np.asarray(Image.fromarray(photo).filter(blur))
    if _happens(0.3, rng):
        quality = int(rng.integers(25, 90))
        content = simplejpeg.encode_jpeg(np.ascontiguousarray(photo), quality)
        photo = simplejpeg.decode_jpeg(content)
    return np.ascontiguousarray(photo)
