"""Compute the features of canonical photos."""

from __future__ import annotations

from functools import partial

import pandas as pd
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.parameters import FeaturizeParameters
from fruits_pipeline.spark import arrow
from fruits_pipeline.spark.broadcast import broadcast
from fruits_pipeline.spark.frames import map_arrow


def check_error_rate(
    images: DataFrame, image_counts: pd.DataFrame, max_error_rate: float
) -> None:
    """Raise if too many photos were rejected.

    Args:
        images: The table `images`; read only if there is an error, for examples.
        image_counts: `photos` and `rejected` of each batch of `images`.
        max_error_rate: Maximum share of rejected photos, 0 to 1.

    Raises:
        FruitsError: If the share of rejected photos is above `max_error_rate`.
    """
    rejected, photos = image_counts["rejected"].sum(), image_counts["photos"].sum()
    if rejected > max_error_rate * photos:
        errors = images.where("error is not null").select("path", "error")
        examples = errors.orderBy("path").limit(3).collect()
        raise FruitsError(
            f"Found {rejected} of {photos} photos that cannot be decoded "
            f"({rejected / photos:.1%}), such as "
            + "; ".join(f"{row.path}: {row.error}" for row in examples)
            + f". Expected at most preprocess.max_error_rate = {max_error_rate:.1%}. "
            "Repair or remove the photos, or raise the limit in parameters_preprocess.yml."
        )


def embed_images(
    images: DataFrame, backbone: Backbone, parameters: FeaturizeParameters
) -> DataFrame:
    """Compute the features of canonical photos.

    Returns:
        `FEATURES` rows, with `backbone.card.width` values each; none for rejected photos.
    """
    step = partial(arrow.embed, backbone=broadcast(backbone), fit_mode=parameters.fit)
    return map_arrow(images, step, schemas.FEATURES)
