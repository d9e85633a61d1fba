"""Compare photos: neighbours, near duplicates, suspect labels, outliers and the atlas."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.models import atlas
from fruits_pipeline.models.duplicates import count_leaks, find_near_duplicates
from fruits_pipeline.models.neighbours import (
    find_neighbours,
    find_outliers,
    find_suspects,
    neighbour_table,
    unit_vectors,
)
from fruits_pipeline.parameters import ReportParameters
from fruits_pipeline.spark.frames import record_batches
from fruits_pipeline.spark.resources import available_mib
from fruits_pipeline.spark.vectors import to_matrix

MIN_MIB = 2048
"""Available memory with which `report.explore` = `auto` compares photos, in MiB."""

logger = logging.getLogger(__name__)


def decide_exploration(parameters: ReportParameters) -> bool:
    """Return whether photos are compared, according to `report.explore`."""
    if parameters.explore != "auto":
        return parameters.explore
    available = available_mib()
    if available < MIN_MIB:
        logger.warning(
            "Photos are not compared, because %d MiB of memory are available and %d are "
            "needed; report.explore=true compares them nevertheless",
            available,
            MIN_MIB,
        )
    return available >= MIN_MIB


def explore_photos(
    reduced: DataFrame,
    explores: bool,
    parameters: ReportParameters,
    training_splits: Sequence[str],
) -> tuple[Any, ...]:
    """Compare up to `explored_photos` photos; none if not `explores`.

    Returns:
        The tables of `neighbour_table`, `find_near_duplicates`, `find_suspects`,
        `find_outliers` and `arrange_photos`, and counts.
    """
    photos, vectors = sample_photos(reduced, parameters.explored_photos * explores)
    training = _is_training(photos, training_splits)
    neighbours = find_neighbours(vectors, parameters.neighbours)
    duplicates = find_near_duplicates(
        photos,
        vectors,
        parameters.duplicate_similarity,
        parameters.rows_listed,
        training,
    )
    suspects = find_suspects(photos, neighbours)
    outliers = find_outliers(photos, vectors, parameters.outlier_distance)
    counts = {
        "explored": explores,
        "compared": len(photos),
        "labels": int(photos["label"].nunique()),
        "similarity": parameters.duplicate_similarity,
        "duplicate_pairs": duplicates.count,
        "duplicate_pairs_across_splits": duplicates.across_splits,
        "duplicate_pairs_listed": len(duplicates.pairs),
        "suspect_labels": len(suspects),
        "outliers": len(outliers),
        "leakage": count_leaks(photos, duplicates.leaks, training),
    }
    return (
        neighbour_table(photos, neighbours),
        duplicates.pairs,
        suspects.head(parameters.rows_listed),
        outliers.head(parameters.rows_listed),
        arrange_photos(photos, vectors, parameters.atlas_photos),
        counts,
    )


def sample_photos(reduced: DataFrame, count: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the keys and unit vectors of up to `count` photos, in random order.

    `photo_id` is a digest, so the photos with the smallest ids are a random sample, and
    a photo stays in it when others are added.
    """
    rows = _complete([])
    batches = []
    for batch in record_batches(reduced) if count else ():
        batches.append(batch.select(rows.column_names))
        if sum(map(len, batches)) > count:
            batches = _smallest(_complete(batches), count).to_batches()
    rows = _smallest(_complete(batches), count)
    vectors = unit_vectors(to_matrix(rows["components"].combine_chunks()))
    return rows.drop_columns(["components"]).to_pandas(), vectors


def _complete(batches: Sequence[pa.RecordBatch]) -> pa.Table:
    table = pa.Table.from_batches(batches) if batches else schemas.REDUCED.empty_table()
    return table.cast(schemas.REDUCED)


def _smallest(rows: pa.Table, count: int) -> pa.Table:
    keys = [("photo_id", "ascending"), ("path", "ascending")]
    return rows.take(pc.select_k_unstable(rows, min(count, len(rows)), keys))


def _is_training(photos: pd.DataFrame, splits: Sequence[str]) -> np.ndarray:
    names = {split.lower() for split in splits}
    found: np.ndarray = photos["split"].str.lower().isin(names).to_numpy(bool)
    return found


def arrange_photos(
    photos: pd.DataFrame, vectors: np.ndarray, count: int
) -> pd.DataFrame:
    """Return `path, label, row, column` of up to `count` photos on a full grid."""
    rows, columns = atlas.grid_size(min(count, len(photos)))
    chosen = atlas.balanced_sample(photos["label"], rows * columns)
    row, column = atlas.arrange(vectors[chosen])
    places = photos[["path", "label"]].iloc[chosen].assign(row=row, column=column)
    return places.sort_values(["row", "column"], ignore_index=True)
