"""Select the photos for training, calibration and test of a classifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from fruits_pipeline.models.classifiers import LabelledVectors
from fruits_pipeline.models.temperature import calibrating_rows
from fruits_pipeline.parameters import ClassifyParameters
from fruits_pipeline.spark.columns import in_splits
from fruits_pipeline.spark.sampling import fit_memory, sample_photos
from fruits_pipeline.spark.vectors import to_matrix

ROLES = ("training", "calibrates")
"""Boolean columns: photos to fit to; photos of the splits for calibration."""


def select_labelled(
    reduced: DataFrame, reduced_counts: pd.DataFrame, parameters: ClassifyParameters
) -> DataFrame:
    """Select labelled photos, at most `photos_per_label` of each label and split.

    Of a table with more than `max_photos`, these are photos of a random sample.

    Args:
        reduced: The table `reduced`.
        reduced_counts: `photos` of each of its batches.
        parameters: Parameters of the stage.

    Returns:
        Rows of `reduced`, ordered by path, with `group` (the series; `photo_id` for a
        photo without a series), `training` (false for test photos) and `calibrates`
        (true for test photos of `calibrated_splits`).
    """
    window = Window.partitionBy("label", "split").orderBy("photo_id", "path")
    count, limit = sample_sizes(reduced_counts, parameters)
    calibrates = F.coalesce(in_splits(parameters.calibrated_splits), F.lit(False))
    return (
        sample_photos(reduced, count, limit)
        .where("label is not null")
        .withColumn("group", F.coalesce("series", "photo_id"))
        .withColumn("training", _is_training(parameters))
        .withColumn("calibrates", calibrates & ~F.col("training"))
        .withColumn("rank", F.row_number().over(window))
        .where(F.col("rank") <= parameters.photos_per_label)
        .drop("rank")
        .orderBy("path")
    )


def sample_sizes(
    reduced_counts: pd.DataFrame, parameters: ClassifyParameters
) -> tuple[int, int]:
    """Return the number of photos, and that of the photos in a sample."""
    return int(reduced_counts["photos"].sum()), fit_memory(parameters.max_photos)


def _is_training(parameters: ClassifyParameters) -> Column:
    """Return a Boolean column, by split; for photos without a split, random by group."""
    uniform = F.abs(F.xxhash64("group", F.lit(parameters.seed))) % 1000 / 1000
    in_split = in_splits(parameters.training_splits)
    return F.coalesce(in_split, uniform >= parameters.test_share)


@dataclass(frozen=True)
class SelectedPhotos:
    """Photos of `select_labelled`, in the memory of the driver.

    Attributes:
        training: Photos to fit to.
        test: All others.
        calibrating: Which of these calibrate the classifier, `bool`; see
            `temperature.calibrating_rows`.
        training_rows: Columns of the training photos, without vectors.
        test_rows: Columns of the others, without vectors.
    """

    training: LabelledVectors
    test: LabelledVectors
    calibrating: np.ndarray
    training_rows: pa.Table
    test_rows: pa.Table

    @property
    def validation(self) -> LabelledVectors | None:
        """Photos for calibration; None if there are too few."""
        rows = self.calibrating
        return self.test.where(rows) if rows.any() else None


def collect_photos(labelled_vectors: DataFrame) -> SelectedPhotos:
    """Read the result of `select_labelled` into the memory of the driver."""
    table = labelled_vectors.toArrow()
    is_training = table["training"].to_numpy()
    photos = LabelledVectors(
        to_matrix(table["components"].combine_chunks()),
        np.array(table["label"].to_pylist(), dtype=str),
        np.array(table["group"].to_pylist(), dtype=str),
    )
    rows = table.drop_columns(["components", "group", *ROLES])
    training, test = photos.where(is_training), photos.where(~is_training)
    calibrates = table["calibrates"].to_numpy()[~is_training]
    return SelectedPhotos(
        training,
        test,
        calibrating=_among(calibrates, test, training),
        training_rows=rows.filter(is_training),
        test_rows=rows.filter(~is_training),
    )


def _among(
    calibrates: np.ndarray, test: LabelledVectors, training: LabelledVectors
) -> np.ndarray:
    """Return which test photos calibrate the classifier, among those of the splits."""
    rows = calibrates.copy()
    rows[calibrates] = calibrating_rows(test.where(calibrates), training)
    return rows
