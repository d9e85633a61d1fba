"""Compare photos: neighbours, near duplicates, suspect labels, outliers and the atlas."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from threadpoolctl import threadpool_limits

from fruits_pipeline.models.atlas import place_photos
from fruits_pipeline.models.duplicates import (
    NearDuplicates,
    count_leaks,
    find_near_duplicates,
)
from fruits_pipeline.models.neighbours import (
    Neighbours,
    find_neighbours,
    neighbour_table,
)
from fruits_pipeline.models.suspects import find_outliers, find_suspects
from fruits_pipeline.parameters import ReportParameters
from fruits_pipeline.pipelines.report.sampling import sample_vectors
from fruits_pipeline.spark.resources import available_mib
from fruits_pipeline.spark.sampling import MIN_MIB

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
        photos: Number of its rows.
        explores: Whether photos are compared.
        parameters: Parameters of the stage.
        training_splits: Names of the splits of training photos.
    """

    reduced: DataFrame
    photos: int
    explores: bool
    parameters: ReportParameters
    training_splits: Sequence[str]

    @cached_property
    def sample(self) -> tuple[pd.DataFrame, np.ndarray]:
        """Keys and unit vectors of the photos."""
        count = self.parameters.explored_photos * self.explores
        return sample_vectors(self.reduced, self.photos, count)

    @cached_property
    def found(self) -> tuple[Neighbours, NearDuplicates, pd.DataFrame]:
        """Neighbours, near duplicates and the atlas, computed by two threads."""
        sample, training, chosen = self.sample, self.is_training, self.parameters
        similarities = chosen.duplicate_similarity, chosen.leakage_similarity
        listed = chosen.rows_listed
        # Other threads of NumPy would compete with these.
        with threadpool_limits(1), ThreadPoolExecutor(2) as pool:
            places = pool.submit(place_photos, *sample, chosen.atlas_photos)
            duplicates = pool.submit(
                find_near_duplicates, *sample, similarities, listed, training
            )
            neighbours = find_neighbours(sample[1], chosen.neighbours, pool.map)
            return neighbours, duplicates.result(), places.result()

    @property
    def neighbours(self) -> Neighbours:
        """Neighbours of each photo."""
        return self.found[0]

    @property
    def duplicates(self) -> NearDuplicates:
        """Near duplicates of all photos."""
        return self.found[1]

    @cached_property
    def is_training(self) -> np.ndarray:
        """Whether each photo is a training photo, `bool [n]`."""
        names = {split.lower() for split in self.training_splits}
        splits = self.sample[0]["split"].astype("string").str.lower()
        found: np.ndarray = splits.isin(names).to_numpy(bool)
        return found

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
    reduced_counts: pd.DataFrame,
    explores: bool,
    parameters: ReportParameters,
    training_splits: Sequence[str],
) -> Comparison:
    """Return a comparison of photos, which is not computed yet."""
    photos = int(reduced_counts["photos"].sum())
    return Comparison(reduced, photos, explores, parameters, training_splits)


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
    """Return the photos of the atlas; see `place_photos`."""
    return comparison.found[2]


def count_findings(comparison: Comparison) -> dict[str, Any]:
    """Return the numbers of compared and of all photos, of near duplicates and of other findings."""
    photos, duplicates = comparison.sample[0], comparison.duplicates
    leakage = count_leaks(photos, duplicates.leaks, comparison.is_training)
    return {
        "explored": comparison.explores,
        "compared": len(photos),
        "photos": comparison.photos,
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
