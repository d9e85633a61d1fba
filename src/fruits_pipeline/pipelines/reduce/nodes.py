"""Fit a PCA to the features, and project them onto its components."""

from __future__ import annotations

import logging
from functools import partial

from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.models import pca
from fruits_pipeline.models.moment_tree import MomentTree
from fruits_pipeline.parameters import ReduceParameters
from fruits_pipeline.spark import arrow
from fruits_pipeline.spark.broadcast import broadcast
from fruits_pipeline.spark.frames import in_one_task, map_arrow

logger = logging.getLogger(__name__)


def measure_moments(features: DataFrame) -> DataFrame:
    """Compute the moments of the features of a batch.

    Returns:
        One `MOMENTS` row; no row if Spark optimises an empty input away.
    """
    return map_arrow(in_one_task(features), arrow.compute_moments, schemas.MOMENTS)


def fit_pca(
    moments: MomentTree, existing_pca: FittedPca | None, parameters: ReduceParameters
) -> FittedPca:
    """Fit a PCA to all photos, or return the existing PCA if `reduce.refit` allows.

    Args:
        moments: Moments of all batches.
        existing_pca: PCA of an earlier run; None if there is none.
        parameters: Parameters of the stage.

    Raises:
        FruitsError: If there are fewer than two different photos, or `max_components`
            keep less than `variance`.
    """
    if existing_pca and not _needs_refit(existing_pca, moments, parameters):
        return existing_pca
    model = pca.fit(
        moments.total(moments.names),
        variance=parameters.variance,
        standardise=parameters.standardise,
        max_components=parameters.max_components,
    )
    logger.info(
        "Fitted a PCA to %d photos: %d components keep %.1f %% of the variance",
        model.n,
        len(model.components),
        100 * model.explained,
    )
    return FittedPca(model, tuple(moments.names))


def project_features(features: DataFrame, pca: FittedPca) -> DataFrame:
    """Project features onto the principal components.

    Returns:
        `REDUCED` rows, all with the same number of components.
    """
    step = partial(arrow.project, pca=broadcast(pca.model))
    return map_arrow(features, step, schemas.REDUCED)


def _needs_refit(
    existing: FittedPca, moments: MomentTree, parameters: ReduceParameters
) -> bool:
    if parameters.refit != "when needed":
        return parameters.refit == "always"
    new = moments.total({*moments.names} - {*existing.batches})
    if not new.n:
        return False
    explained = existing.model.explained_variance_of(new)
    minimum = parameters.variance - parameters.refit_margin
    logger.info(
        "The existing PCA explains %.1f %% of the variance of %d new photos; "
        "a new one is fitted below %.1f %%",
        100 * explained,
        new.n,
        100 * minimum,
    )
    return explained < minimum
