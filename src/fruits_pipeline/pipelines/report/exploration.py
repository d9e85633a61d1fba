"""Compare photos: neighbours, near duplicates, suspect labels, outliers and the atlas."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.models import atlas
from fruits_pipeline.models.duplicates import (
    NearDuplicates,
    count_leaks,
    find_near_duplicates,
)
from fruits_pipeline.models.neighbours import (
    Neighbours,
    find_neighbours,
    neighbour_table,
    unit_vectors,
)
from fruits_pipeline.models.suspects import find_outliers, find_suspects
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


@dataclass(frozen=True)
class Comparison:
    """Comparison of up to `explored_photos` photos; of none if not `explores`.

    Everything is computed when it is needed, and at most once.

    Attributes:
        reduced: The table `reduced`.
        explores: Whether photos are compared.
        parameters: Parameters of the stage.
        training_splits: Names of the splits of training photos.
    """

    reduced: DataFrame
    explores: bool
    parameters: ReportParameters
    training_splits: Sequence[str]

    @cached_property
    def sample(self) -> tuple[pd.DataFrame, np.ndarray]:
        """Keys and unit vectors of the photos."""
        count = self.parameters.explored_photos * self.explores
        return sample_photos(self.reduced, count)

    @cached_property
    def neighbours(self) -> Neighbours:
        """Neighbours of each photo."""
        return find_neighbours(self.sample[1], self.parameters.neighbours)

    @cached_property
    def is_training(self) -> np.ndarray:
        """Whether each photo is a training photo, `bool [n]`."""
        names = {split.lower() for split in self.training_splits}
        splits = self.sample[0]["split"].astype("string").str.lower()
        found: np.ndarray = splits.isin(names).to_numpy(bool)
        return found

    @cached_property
    def duplicates(self) -> NearDuplicates:
        """Near duplicates of all photos."""
        chosen = self.parameters
        return find_near_duplicates(
            *self.sample,
            (chosen.duplicate_similarity, chosen.leakage_similarity),
            chosen.rows_listed,
            self.is_training,
        )

    @cached_property
    def suspects(self) -> pd.DataFrame:
        """Photos whose label is probably wrong."""
        return find_suspects(self.sample[0], self.neighbours)

    @cached_property
    def outliers(self) -> pd.DataFrame:
        """Photos that differ from the other photos of their label."""
        return find_outliers(*self.sample, self.parameters.outlier_distance)


def compare_photos(
    reduced: DataFrame,
    explores: bool,
    parameters: ReportParameters,
    training_splits: Sequence[str],
) -> Comparison:
    """Return a comparison of photos, which is not computed yet."""
    return Comparison(reduced, explores, parameters, training_splits)


def list_neighbours(comparison: Comparison) -> pd.DataFrame:
    """Return the neighbours of each photo; see `neighbour_table`."""
    return neighbour_table(comparison.sample[0], comparison.neighbours)


def list_near_duplicates(comparison: Comparison) -> pd.DataFrame:
    """Return the most similar pairs; see `NearDuplicates`."""
    return comparison.duplicates.pairs


def list_suspect_labels(comparison: Comparison) -> pd.DataFrame:
    """Return the photos whose label is probably wrong; see `find_suspects`."""
    return comparison.suspects.head(comparison.parameters.rows_listed)


def list_outliers(comparison: Comparison) -> pd.DataFrame:
    """Return the photos that differ most from their label; see `find_outliers`."""
    return comparison.outliers.head(comparison.parameters.rows_listed)


def arrange_atlas(comparison: Comparison) -> pd.DataFrame:
    """Return `path, label, row, column` of photos on a full grid, row by row."""
    photos, vectors = comparison.sample
    count = min(comparison.parameters.atlas_photos, len(photos))
    rows, columns = atlas.grid_size(count)
    chosen = atlas.balanced_sample(photos["label"], rows * columns)
    row, column = atlas.arrange(vectors[chosen])
    places = photos[["path", "label"]].iloc[chosen].assign(row=row, column=column)
    return places.sort_values(["row", "column"], ignore_index=True)


def count_findings(comparison: Comparison) -> dict[str, Any]:
    """Return the numbers of compared photos, of near duplicates and of other findings."""
    photos, duplicates = comparison.sample[0], comparison.duplicates
    leakage = count_leaks(photos, duplicates.leaks, comparison.is_training)
    return {
        "explored": comparison.explores,
        "compared": len(photos),
        "labels": int(photos["label"].nunique()),
        "similarity": comparison.parameters.duplicate_similarity,
        "similarity_across_splits": comparison.parameters.leakage_similarity,
        "duplicate_pairs": duplicates.count,
        "duplicate_pairs_across_splits": duplicates.across_splits,
        "duplicate_pairs_listed": len(duplicates.pairs),
        "suspect_labels": len(comparison.suspects),
        "outliers": len(comparison.outliers),
        "leakage": leakage,
    }


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
