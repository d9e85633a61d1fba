"""Compute the features of canonical photos."""

from __future__ import annotations

from functools import partial

import pandas as pd
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.isolation import Limits
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.parameters import FeaturizeParameters
from fruits_pipeline.spark import arrow
from fruits_pipeline.spark.broadcast import broadcast
from fruits_pipeline.spark.frames import map_arrow
from fruits_pipeline.spark.parts import PhotoStep

EXAMPLES = 3
"""Number of rejected photos that the error message names."""

EMBED_MIB = 512
"""Memory that is sufficient for the features of a photo, with any backbone."""


def check_error_rate(
    rejects: pd.DataFrame,
    image_counts: pd.DataFrame,
    max_error_rate: float,
) -> None:
    """Raise if too many photos were rejected.

    Args:
        rejects: `path`, `stage` and `error` of the rejected photos.
        image_counts: `photos` and `rejected` of each batch of `images`.
        max_error_rate: Maximum share of rejected photos, 0 to 1.

    Raises:
        FruitsError: If the share of rejected photos is above `max_error_rate`.
    """
    rejected, photos = image_counts["rejected"].sum(), image_counts["photos"].sum()
    if rejected > max_error_rate * photos:
        unread = (rejects["stage"] == "ingest").sum()
        in_stage = rejects["stage"].map(rejects["stage"].value_counts())
        examples = rejects.loc[
            in_stage.sort_values(ascending=False, kind="stable").index
        ]
        examples = examples.head(EXAMPLES)  # of the more frequent cause
        named = zip(examples["path"], examples["error"], strict=True)
        raise FruitsError(
            f"Found {rejected} of {photos} photos rejected ({rejected / photos:.1%}): "
            f"{unread} that cannot be read, {rejected - unread} that cannot be decoded, "
            f"such as {'; '.join(f'{path}: {error}' for path, error in named)}. "
            f"Expected at most preprocess.max_error_rate = {max_error_rate:.1%}. "
            "08_reporting/rejects.csv in `root` lists them. Repair or remove the photos, "
            "or raise the limit in parameters_preprocess.yml."
        )


def embed_images(
    images: DataFrame,
    backbone: Backbone,
    parameters: FeaturizeParameters,
    seconds_per_photo: float,
) -> DataFrame:
    """Compute the features of canonical photos.

    Returns:
        `FEATURES` rows, with `backbone.card.width` values each; none for rejected photos.
    """
    function = partial(
        arrow.embed,
        backbone=broadcast(backbone),
        fit_mode=parameters.fit,
        seconds=seconds_per_photo,
    )
    limit = Limits(seconds_per_photo, EMBED_MIB)
    step = PhotoStep(function, arrow.refuse_photo, limit)
    return map_arrow(images, step, schemas.FEATURES)
