"""Featurize: canonical images become feature vectors."""

from __future__ import annotations

from functools import partial

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fruits_pipeline import arrow_steps, schemas
from fruits_pipeline.backbones import Backbone
from fruits_pipeline.batches import Batches, newest
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parameters import FeaturizeParameters
from fruits_pipeline.recipes import extend


def accept_images(images: Batches, max_error_rate: float) -> Batches:
    """Leave out what could not be decoded, unless that is too much of it.

    Args:
        images: The table `images`.
        max_error_rate: Share of rows with an error above which the run stops.

    Returns:
        The `images` rows without an error.

    Raises:
        FruitsError: More photos than that have an error.
    """
    current = newest(images)
    errors, photos = current.select(F.count("error"), F.count("path")).first() or (0, 0)
    if errors > max_error_rate * photos:
        examples = current.where("error is not null").orderBy("path").limit(3).collect()
        raise FruitsError(
            f"Found {errors} of {photos} photos that cannot be decoded "
            f"({errors / photos:.1%}), such as "
            + "; ".join(f"{row.path}: {row.error}" for row in examples)
            + f". Expected at most preprocess.max_error_rate = {max_error_rate:.1%}. "
            "Mend or remove the photos, or raise it in parameters_preprocess.yml."
        )
    return images.map(arrow_steps.readable, schemas.IMAGES)


def embed_images(
    readable_images: Batches, backbone: Backbone, parameters: FeaturizeParameters
) -> Batches:
    """Fit every image to the backbone's input and run the backbone.

    Args:
        readable_images: `images` rows without an error.
        backbone: LiteRT model and card.
        parameters: Of the stage.

    Returns:
        `features` rows, each with `card.width` values.
    """
    spark = SparkSession.builder.getOrCreate()
    shipped = spark.sparkContext.broadcast(backbone)
    step = partial(arrow_steps.embed, backbone=shipped, how=parameters.fit)
    shaping = {"fit": parameters.fit, "backbone": backbone.card.sha256}
    return readable_images.map(
        *(step, schemas.FEATURES),
        recipe=extend(readable_images.recipe, "featurize", shaping),
    )
