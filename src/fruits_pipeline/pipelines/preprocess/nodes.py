"""Preprocess: photos become canonical images, or rows that say what is wrong."""

from __future__ import annotations

from functools import partial

from fruits_pipeline import arrow_steps, schemas
from fruits_pipeline.batches import Batches
from fruits_pipeline.parameters import PreprocessParameters
from fruits_pipeline.recipes import extend


def make_canonical(photos: Batches, parameters: PreprocessParameters) -> Batches:
    """Decode every photo and leave it whole, upright, RGB and small.

    Args:
        photos: The table `photos`.
        parameters: Of the stage.

    Returns:
        `images` rows; those of photos that cannot be decoded have an `error`.
    """
    shaping = parameters.model_dump(include={"short_side", "max_pixels"})
    step = partial(arrow_steps.make_canonical, **shaping)
    return photos.map(
        *(step, schemas.IMAGES),
        recipe=extend(photos.recipe, "preprocess", shaping),
    )
