"""Train a classifier on reduced vectors, evaluate it, and build the phone model."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from fruits_pipeline.datasets import FittedClassifier, FittedPca
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models import calibration, metrics
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.classifiers import LabelledVectors
from fruits_pipeline.models.neighbours import find_nearest, unit_vectors
from fruits_pipeline.models.phone_models import PhoneCard, PhoneModel, fuse
from fruits_pipeline.parameters import (
    ClassifyParameters,
    FeaturizeParameters,
    PreprocessParameters,
)
from fruits_pipeline.spark.columns import in_splits
from fruits_pipeline.spark.sampling import fit_memory, sample_photos
from fruits_pipeline.spark.vectors import to_matrix

logger = logging.getLogger(__name__)


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
        photo without a series) and `training` (false for test photos).
    """
    window = Window.partitionBy("label", "split").orderBy("photo_id", "path")
    count, limit = _sizes(reduced_counts, parameters)
    return (
        sample_photos(reduced, count, limit)
        .where("label is not null")
        .withColumn("group", F.coalesce("series", "photo_id"))
        .withColumn("training", _is_training(parameters))
        .withColumn("rank", F.row_number().over(window))
        .where(F.col("rank") <= parameters.photos_per_label)
        .drop("rank")
        .orderBy("path")
    )


def _sizes(
    reduced_counts: pd.DataFrame, parameters: ClassifyParameters
) -> tuple[int, int]:
    """Return the number of photos, and that of the photos in a sample."""
    return int(reduced_counts["photos"].sum()), fit_memory(parameters.max_photos)


def _is_training(parameters: ClassifyParameters) -> Column:
    """Return a Boolean column, by split; for photos without a split, random by group."""
    uniform = F.abs(F.xxhash64("group", F.lit(parameters.seed))) % 1000 / 1000
    in_split = in_splits(parameters.training_splits)
    return F.coalesce(in_split, uniform >= parameters.test_share)


def train_classifier(
    labelled_vectors: DataFrame, pca: FittedPca, parameters: ClassifyParameters
) -> FittedClassifier:
    """Fit a classifier to the training photos.

    Args:
        labelled_vectors: Result of `select_labelled`.
        pca: The PCA that computed the vectors.
        parameters: Parameters of the stage.

    Raises:
        FruitsError: If the training photos have fewer than two labels.
    """
    rows = labelled_vectors.where("training").toArrow()
    photos = LabelledVectors(
        to_matrix(rows["components"].combine_chunks()),
        np.array(rows["label"].to_pylist(), dtype=str),
        np.array(rows["group"].to_pylist(), dtype=str),
    )
    labels = np.unique(photos.labels)
    if len(labels) <= 1:
        raise FruitsError(
            f"Found {rows.num_rows} photos of {len(labels)} label(s) to learn from; "
            "expected at least two labels. Add labelled photos, or change "
            "classify.training_splits, or ingest.path_rules if paths contain the labels."
        )
    model = calibration.fit(photos, parameters.seed)
    logger.info(
        "Trained a classifier of %d labels on %d photos; "
        "the answer is unknown below a probability of %.1f %%",
        len(labels),
        rows.num_rows,
        100 * model.threshold,
    )
    return FittedClassifier(model, pca.model.digest)


def answer_photos(
    labelled_vectors: DataFrame, classifier: FittedClassifier
) -> pd.DataFrame:
    """Classify the test photos.

    Returns:
        One row per test photo with the columns of `metrics.add_answers`,
        `series_learned` (whether there are training photos of the same series), and path,
        label, batch and similarity of the most similar training photo (`nearest_path`,
        ...).

    Raises:
        FruitsError: If there are no test photos.
    """
    rows = labelled_vectors.toArrow()
    test = rows.filter(pc.invert(rows["training"]))
    if not test.num_rows:
        raise FruitsError(
            f"Found {rows.num_rows} labelled photos, all of them for training; expected "
            "some to test with. Add photos in a split that is not in "
            "classify.training_splits, or change this parameter or classify.test_share."
        )
    training = rows.filter(rows["training"])
    vectors, others = (
        to_matrix(part["components"].combine_chunks()) for part in (test, training)
    )
    photos = test.drop_columns(["components", "training"]).to_pandas()
    photos["series_learned"] = photos.pop("group").isin(training["group"].to_pylist())
    nearest, similarities = find_nearest(unit_vectors(vectors), unit_vectors(others))
    for name in ("path", "label", "batch"):
        photos[f"nearest_{name}"] = training[name].take(nearest).to_pylist()
    photos["nearest_similarity"] = similarities
    probabilities = classifier.model.probabilities(vectors)
    return metrics.add_answers(photos, probabilities, classifier.model)


def evaluate_answers(
    answers: pd.DataFrame,
    classifier: FittedClassifier,
    reduced_counts: pd.DataFrame,
    parameters: ClassifyParameters,
) -> dict[str, Any]:
    """Return the metrics of the answers; see `metrics.evaluate`.

    If training and test photos are from a sample, `sample` is its size and the number of
    all photos; otherwise None.
    """
    count, limit = _sizes(reduced_counts, parameters)
    sample = {"photos": limit, "of": count} if count > limit else None
    return metrics.evaluate(answers, classifier.model) | {"sample": sample}


def build_phone_model(
    backbone: Backbone,
    pca: FittedPca,
    classifier: FittedClassifier,
    featurize: FeaturizeParameters,
    preprocess: PreprocessParameters,
) -> PhoneModel:
    """Combine backbone, PCA and classifier in one LiteRT file.

    Raises:
        FruitsError: If the classifier was trained with another PCA, or the PCA was
            fitted to another number of features than the backbone returns.
    """
    digest = pca.model.digest
    if classifier.pca != digest or len(pca.model.mean) != backbone.card.width:
        raise FruitsError(
            "Found a classifier, a PCA and a backbone of different runs; expected those "
            "of one run. Run `kedro run`, then `kedro run --pipelines classify`, with "
            "the same backbone_folder and root."
        )
    card = PhoneCard(
        input_size=backbone.card.input_size,
        fit=featurize.fit,
        short_side=preprocess.short_side,
        threshold=classifier.model.threshold,
        backbone=backbone.card.sha256,
        pca=digest,
    )
    return fuse(backbone.model, pca.model, classifier.model, card)
