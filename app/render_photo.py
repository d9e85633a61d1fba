"""Render a photo of fruit on a table: python app/render_photo.py <file> [label]."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from fruits_pipeline.imaging.synthetic.fruits import create_fruit
from fruits_pipeline.imaging.synthetic.geometry import rotation_matrix
from fruits_pipeline.imaging.synthetic.renderer import (
    Light,
    points_per_area,
    render,
    with_ambient_occlusion,
)

SIZE = 520
WHITE = 255  # background of the renderer
PHOTO = (720, 720)
LIGHT = Light((-0.6, 0.8, 0.9), intensity=1.05, ambient=0.4, warmth=0.04)
TABLE, SHADE = (226, 205, 176), (196, 170, 136)
SHADOW = (90, 62, 38)


def render_photo(label: str) -> Image.Image:
    """Return a photo of a fruit, with a soft shadow."""
    rng = np.random.default_rng(7)
    fruit = with_ambient_occlusion(create_fruit(label, rng, points_per_area(SIZE)))
    rotation = rotation_matrix(0, 25) @ rotation_matrix(1, 12)
    pixels = render(fruit, np.asarray(rotation, np.float32), LIGHT, SIZE)
    mask = Image.fromarray(((pixels != WHITE).any(2) * 255).astype(np.uint8))
    photo = _table()
    corner = ((PHOTO[0] - SIZE) // 2, (PHOTO[1] - SIZE) // 2)
    shadow = Image.new("L", PHOTO)
    shadow.paste(
        mask.point(lambda level: level * 3 // 5), (corner[0] + 26, corner[1] + 34)
    )
    photo.paste(SHADOW, (0, 0), shadow.filter(ImageFilter.GaussianBlur(24)))
    smooth = mask.filter(ImageFilter.GaussianBlur(0.8))
    photo.paste(Image.fromarray(pixels), corner, smooth)
    return photo


def _table() -> Image.Image:
    """Return a table of wood, out of focus."""
    rng = np.random.default_rng(3)
    grain = rng.normal(0, 1, (PHOTO[1] // 6, 1)).repeat(PHOTO[0] // 12, axis=1)
    grain += rng.normal(0, 0.25, grain.shape)
    levels = Image.fromarray(np.clip(128 + 40 * grain, 0, 255).astype(np.uint8))
    blurred = levels.resize(PHOTO, Image.Resampling.BICUBIC)
    blurred = blurred.filter(ImageFilter.GaussianBlur(6))
    share = np.asarray(blurred, np.float32)[..., np.newaxis] / 255
    return Image.fromarray((TABLE * share + SHADE * (1 - share)).astype(np.uint8))


if __name__ == "__main__":
    render_photo((*sys.argv[2:], "Strawberry")[0]).save(Path(sys.argv[1]), quality=92)
