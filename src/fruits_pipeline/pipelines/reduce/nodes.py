"""Reduce: features become the few components that carry their variance."""

from __future__ import annotations

import logging
from functools import partial

from pyspark.sql import SparkSession

from fruits_pipeline import arrow_steps, pca, schemas
from fruits_pipeline.batches import Batches, in_arrow, versions
from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.moments import Moments, merge_all
from fruits_pipeline.parameters import ReduceParameters
from fruits_pipeline.recipes import extend

logger = logging.getLogger(__name__)


def measure_moments(features: Batches) -> Batches:
    """Reduce each batch of features to one row: count, mean and co-moments.

    Args:
        features: The table `features`.

    Returns:
        `moments` rows, one a batch.
    """
    return features.whole().map(arrow_steps.measure, schemas.MOMENTS)


def fit_pca(
    moments: Batches,
    features: Batches,
    images: Batches,
    held_pca: FittedPca | None,
    parameters: ReduceParameters,
) -> FittedPca:
    """Fit a PCA to all current photos, or keep the model that explains them.

    Args:
        moments: The table `moments`.
        features: The table `features`, read where photos have been replaced.
        images: The table `images`, which says which rows are current.
        held_pca: The model of an earlier run.
        parameters: Of the stage.
    """
    shaping = parameters.model_dump(
        include={"variance", "standardise", "max_components"}
    )
    recipe = extend(moments.recipe, "reduce", shaping)
    current = _CurrentMoments(moments, features, images)
    if (
        held_pca
        and (held_pca.recipe, held_pca.origin) == (recipe, moments.origin)
        and _still_fits(held_pca, current, parameters)
    ):
        return held_pca
    model = pca.fit(current.of(moments.names), **shaping)
    logger.info(
        "PCA fitted to %d photos: %d components keep %.1f %% of the variance",
        *(model.n, len(model.components), 100 * model.explained),
    )
    return FittedPca(model, moments.names, recipe, moments.origin)


class _CurrentMoments:
    """Moments of batches without the photos that a later batch replaces."""

    def __init__(self, moments: Batches, features: Batches, images: Batches) -> None:
        self.moments = moments
        self.features = features
        rows = versions(images)
        self.current = rows.where("batch = last").select("path", "batch")
        replaced = rows.where("batch < last").select("batch").distinct()
        self.touched = {row.batch for row in replaced.collect()}

    def of(self, names: tuple[str, ...]) -> Moments:
        return merge_all(self._of_batch(name) for name in names)

    def _of_batch(self, name: str) -> Moments:
        if name in self.touched:
            rows = self.features.read([name])
            current = rows.join(self.current, ["path", "batch"], "left_semi")
            one_task = current.select("features").coalesce(1)
            measured = in_arrow(one_task, arrow_steps.measure, schemas.MOMENTS)
            return arrow_steps.moments_in(measured.toArrow().to_batches()[0])
        (part,) = self.moments.parts(name)  # a row, too small to ask Spark for
        return arrow_steps.moments_in(next(part()))


def _still_fits(
    held: FittedPca, current: _CurrentMoments, parameters: ReduceParameters
) -> bool:
    if parameters.refit != "when needed":
        return parameters.refit == "never"
    new = tuple(n for n in current.moments.names if n not in held.batches)
    added = current.of(new)
    if not added.n:
        return True
    share = held.model.explained_of(added)
    least = parameters.variance - parameters.refit_margin
    logger.info(
        "PCA explains %.1f %% of the variance of %d new photos; refitted below %.1f %%",
        *(100 * share, added.n, 100 * least),
    )
    return share >= least


def project_features(features: Batches, pca: FittedPca) -> Batches:
    """Map features to components.

    Args:
        features: The table `features`.
        pca: The model.

    Returns:
        `reduced` rows, of one width; another model remakes them all.
    """
    spark = SparkSession.builder.getOrCreate()
    shipped = spark.sparkContext.broadcast(pca.model)
    step = partial(arrow_steps.project, pca=shipped)
    return features.map(
        *(step, schemas.REDUCED), recipe=pca.recipe, model=pca.model.digest
    )
