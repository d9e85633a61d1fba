"""Preprocess: photos become canonical images, or rows with an error."""

from __future__ import annotations

from functools import partial

from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.parameters import PreprocessParameters
from fruits_pipeline.spark import arrow
from fruits_pipeline.spark.frames import map_arrow


def make_canonical(photos: DataFrame, parameters: PreprocessParameters) -> DataFrame:
    """Decode photos into whole, upright, small RGB images.

    Args:
        photos: `PHOTOS` rows.
        parameters: Parameters of the stage.

    Returns:
        `IMAGES` rows; those of photos that cannot be decoded have an `error`.
    """
    step = partial(
        arrow.make_canonical,
        short_side=parameters.short_side,
        max_pixels=parameters.max_pixels,
    )
    return map_arrow(photos, step, schemas.IMAGES)
