"""Classify: reduced vectors become names, or "unknown"."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from matplotlib.figure import Figure
from plotly.graph_objects import Figure as PlotlyFigure
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from fruits_pipeline.datasets import FittedClassifier, FittedPca
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models import calibration
from fruits_pipeline.models import metrics as evaluations
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.classifiers import Labelled
from fruits_pipeline.models.phone_models import PhoneCard, PhoneModel, fuse
from fruits_pipeline.parameters import (
    ClassifyParameters,
    FeaturizeParameters,
    PreprocessParameters,
)
from fruits_pipeline.reporting import contact_sheets
from fruits_pipeline.reporting.confusion import confusion
from fruits_pipeline.spark.arrow import vectors
from fruits_pipeline.spark.frames import in_splits, with_bytes

logger = logging.getLogger(__name__)


def select_labelled(reduced: DataFrame, parameters: ClassifyParameters) -> DataFrame:
    """Select labelled photos, a sample of each label and split if there are many.

    Args:
        reduced: The table `reduced`.
        parameters: Parameters of the stage.

    Returns:
        `REDUCED` rows with their `batch`, `film` (the photo itself if it is of none), and
        `learned`: whether the classifier learns from the photo or is tested with it.
    """
    of_label = Window.partitionBy("label", "split").orderBy("photo_id", "path")
    return (
        reduced.where("label is not null")
        .withColumn("film", F.coalesce("series", "photo_id"))
        .withColumn("learned", _is_learned(parameters))
        .withColumn("rank", F.row_number().over(of_label))
        .where(F.col("rank") <= parameters.photos_per_label)
        .drop("rank")
        .orderBy("path")
    )


def _is_learned(parameters: ClassifyParameters) -> Column:
    """Return a Boolean column: by split, or at random by film if there is no split."""
    chance = F.abs(F.xxhash64("film", F.lit(parameters.seed))) % 1000 / 1000
    in_split = in_splits(parameters.training_splits)
    return F.coalesce(in_split, chance >= parameters.test_share)


def train_classifier(
    labelled_vectors: DataFrame, pca: FittedPca, parameters: ClassifyParameters
) -> FittedClassifier:
    """Fit a classifier to the photos with `learned`.

    Args:
        labelled_vectors: Rows of `select_labelled`.
        pca: The PCA that the vectors were computed with.
        parameters: Parameters of the stage.

    Raises:
        FruitsError: There are not two labels to tell apart.
    """
    learned = labelled_vectors.where("learned").toArrow()
    known = Labelled(
        vectors(learned["components"].combine_chunks()),
        np.array(learned["label"].to_pylist(), dtype=str),
        np.array(learned["film"].to_pylist(), dtype=str),
    )
    if len(names := np.unique(known.labels)) <= 1:
        raise FruitsError(
            f"Found {learned.num_rows} photos of {len(names)} label(s) to learn from; "
            "expected at least two labels to tell apart. Add labelled photos, or change "
            "classify.training_splits, or ingest.path_rules where paths name the labels."
        )
    model = calibration.fit(known, parameters.seed)
    logger.info(
        "Classifier of %d labels learned from %d photos; unknown below %.0f %%",
        *(len(names), learned.num_rows, 100 * model.threshold),
    )
    return FittedClassifier(model, pca.model.digest)


def answer_photos(
    labelled_vectors: DataFrame, classifier: FittedClassifier
) -> pd.DataFrame:
    """Classify the photos that are kept for the test.

    Args:
        labelled_vectors: Rows of `select_labelled`.
        classifier: The classifier.

    Returns:
        `evaluations.answers_to` of each, the most confident mistakes first.

    Raises:
        FruitsError: There is no photo to test with.
    """
    rows = labelled_vectors.toArrow()
    asked = rows.filter(pc.invert(rows["learned"]))
    if not asked.num_rows:
        raise FruitsError(
            f"Found {rows.num_rows} labelled photos, all of them to learn "
            "from; expected some to test with. Add photos in a split of another name, or "
            "change classify.training_splits or classify.test_share."
        )
    probabilities = classifier.model.probabilities(
        vectors(asked["components"].combine_chunks())
    )
    photos = asked.drop_columns(["components", "learned"]).to_pandas()
    films = rows.filter(rows["learned"])["film"].unique().to_pylist()
    photos["film_learned"] = photos.pop("film").isin(films)
    return evaluations.answers_to(photos, probabilities, classifier.model)


def evaluate_answers(
    answers: pd.DataFrame, classifier: FittedClassifier
) -> dict[str, Any]:
    """Say in numbers how good the answers are."""
    return evaluations.evaluate(answers, classifier.model)


def plot_confusion(answers: pd.DataFrame) -> PlotlyFigure:
    """Plot which labels are taken for which."""
    return confusion(answers)


def draw_mistakes(
    answers: pd.DataFrame, images: DataFrame, parameters: ClassifyParameters
) -> Figure:
    """Draw the photos that were named wrongly, the surest first."""
    mistakes = answers[~answers["right"]]
    shown = with_bytes(images, mistakes.head(parameters.mistakes_shown), "image")
    return contact_sheets.mistake_sheet(shown, len(mistakes), len(answers))


def build_phone_model(
    backbone: Backbone,
    pca: FittedPca,
    classifier: FittedClassifier,
    featurize: FeaturizeParameters,
    preprocess: PreprocessParameters,
) -> PhoneModel:
    """Fuse backbone, PCA and classifier to one file from pixels to probabilities.

    Raises:
        FruitsError: They do not belong together.
    """
    digest = pca.model.digest
    if classifier.pca != digest or len(pca.model.mean) != backbone.card.width:
        raise FruitsError(
            "Found a classifier, a PCA and a backbone that were not made one from the "
            "other; expected those of one run. Run `kedro run`, then "
            "`kedro run --pipelines classify`, with the same backbone_folder and root."
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
