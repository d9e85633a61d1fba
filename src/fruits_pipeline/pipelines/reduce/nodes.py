"""Reduce: features become the few components that keep most of their variance."""

from __future__ import annotations

import logging
from collections.abc import Collection
from functools import partial

from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.models import pca
from fruits_pipeline.models.moments import Moments, merge_all
from fruits_pipeline.parameters import ReduceParameters
from fruits_pipeline.spark import arrow
from fruits_pipeline.spark.frames import (
    batch_names,
    broadcast,
    in_batches,
    in_one_task,
    map_arrow,
    record_batches,
)

logger = logging.getLogger(__name__)


def measure_moments(features: DataFrame) -> DataFrame:
    """Reduce features to one row: count, mean and co-moments.

    Args:
        features: `FEATURES` rows of one batch.

    Returns:
        One `MOMENTS` row; none if Spark knows that there are no features.
    """
    return map_arrow(in_one_task(features), arrow.measure, schemas.MOMENTS)


def fit_pca(
    moments: DataFrame, existing_pca: FittedPca | None, parameters: ReduceParameters
) -> FittedPca:
    """Fit a PCA to all photos, or keep the existing model if it explains the new ones.

    Args:
        moments: `MOMENTS` rows with their `batch`, one row a batch.
        existing_pca: The model of an earlier run.
        parameters: Parameters of the stage.
    """
    names = batch_names(moments)
    if existing_pca and _still_fits(existing_pca, moments, parameters):
        return existing_pca
    model = pca.fit(
        _merged(moments, names),
        variance=parameters.variance,
        standardise=parameters.standardise,
        max_components=parameters.max_components,
    )
    logger.info(
        "PCA fitted to %d photos: %d components keep %.1f %% of the variance",
        model.n,
        len(model.components),
        100 * model.explained,
    )
    return FittedPca(model, tuple(names))


def _merged(moments: DataFrame, names: Collection[str]) -> Moments:
    """Return the moments of some batches together."""
    rows = record_batches(in_batches(moments, names))
    return merge_all(found for batch in rows for found in arrow.moments_in(batch))


def _still_fits(
    existing: FittedPca, moments: DataFrame, parameters: ReduceParameters
) -> bool:
    if parameters.refit != "when needed":
        return parameters.refit == "never"
    new = [name for name in batch_names(moments) if name not in existing.batches]
    if not new:
        return True
    added = _merged(moments, new)
    if not added.n:
        return True
    share = existing.model.explained_of(added)
    least = parameters.variance - parameters.refit_margin
    logger.info(
        "PCA explains %.1f %% of the variance of %d new photos; fitted again below %.1f %%",
        100 * share,
        added.n,
        100 * least,
    )
    return share >= least


def project_features(features: DataFrame, pca: FittedPca) -> DataFrame:
    """Map features to components.

    Args:
        features: `FEATURES` rows.
        pca: The model.

    Returns:
        `REDUCED` rows, all of one width.
    """
    step = partial(arrow.project, pca=broadcast(pca.model))
    return map_arrow(features, step, schemas.REDUCED)
