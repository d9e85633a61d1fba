"""Classify: reduced vectors become names, or "unknown"."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.figure import Figure
from plotly.graph_objects import Figure as PlotlyFigure
from pyspark.sql import Column, Window
from pyspark.sql import functions as F

from fruits_pipeline import calibration, contact_sheets, evaluations
from fruits_pipeline.arrow_steps import vectors
from fruits_pipeline.backbones import Backbone
from fruits_pipeline.batches import Batches, in_splits, labelled, with_bytes
from fruits_pipeline.classifiers import Labelled
from fruits_pipeline.confusion import confusion
from fruits_pipeline.datasets import FittedClassifier, FittedPca
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parameters import (
    ClassifyParameters,
    FeaturizeParameters,
    PreprocessParameters,
)
from fruits_pipeline.phone_models import PhoneCard, PhoneModel, fuse

logger = logging.getLogger(__name__)


def select_labelled(
    reduced: Batches, images: Batches, parameters: ClassifyParameters
) -> pa.Table:
    """Take the current vectors of labelled photos, some of them where they are many.

    Args:
        reduced: The table `reduced`.
        images: The table `images`, which says which rows are current.
        parameters: Of the stage.

    Returns:
        A row for each photo: its key, `components`, where its image is (`batch`,
        `part`), `film` (the photo itself where it is of none), and whether it is
        `learned` from or kept for the test.
    """
    of_label = Window.partitionBy("label", "split").orderBy("photo_id", "path")
    chosen = (
        labelled(images)
        .withColumn("film", F.coalesce("series", "photo_id"))
        .withColumn("learned", _is_learned(parameters))
        .withColumn("rank", F.row_number().over(of_label))
        .where(F.col("rank") <= parameters.photos_per_label)
        .drop("rank", "width", "height", "error")
    )
    components = reduced.rows().select("path", "batch", "components")
    return chosen.join(components, ["path", "batch"]).orderBy("path").toArrow()


def _is_learned(parameters: ClassifyParameters) -> Column:
    """Say whether to learn from a photo: by its split, or else by chance of its film."""
    chance = F.abs(F.xxhash64("film", F.lit(parameters.seed))) % 1000 / 1000
    in_split = in_splits(parameters.learned_splits)
    return F.coalesce(in_split, chance >= parameters.test_share)


def train_classifier(
    labelled_vectors: pa.Table, pca: FittedPca, parameters: ClassifyParameters
) -> FittedClassifier:
    """Fit a classifier to the photos that are to be learned.

    Args:
        labelled_vectors: Of `select_labelled`.
        pca: What the vectors were made with.
        parameters: Of the stage.

    Raises:
        FruitsError: There are not two labels to tell apart.
    """
    learned = labelled_vectors.filter(labelled_vectors["learned"])
    known = Labelled(
        vectors(learned["components"].combine_chunks()),
        np.array(learned["label"].to_pylist(), dtype=str),
        np.array(learned["film"].to_pylist(), dtype=str),
    )
    if len(names := np.unique(known.labels)) <= 1:
        raise FruitsError(
            f"Found {learned.num_rows} photos of {len(names)} label(s) to learn from; "
            "expected at least two labels to tell apart. Add labelled photos, or change "
            "classify.learned_splits, or ingest.path_rules where paths name the labels."
        )
    model = calibration.fit(known, parameters.seed)
    logger.info(
        "Classifier of %d labels learned from %d photos; unknown below %.0f %%",
        *(len(names), learned.num_rows, 100 * model.threshold),
    )
    return FittedClassifier(model, pca.model.digest)


def answer_photos(
    labelled_vectors: pa.Table, classifier: FittedClassifier
) -> pd.DataFrame:
    """Ask the classifier about the photos that are kept for the test.

    Args:
        labelled_vectors: Of `select_labelled`.
        classifier: The classifier.

    Returns:
        `evaluations.answers_to` of each, the surest mistakes first.

    Raises:
        FruitsError: There is no photo to test with.
    """
    asked = labelled_vectors.filter(pc.invert(labelled_vectors["learned"]))
    if not asked.num_rows:
        raise FruitsError(
            f"Found {labelled_vectors.num_rows} labelled photos, all of them to learn "
            "from; expected some to test with. Add photos in a split of another name, or "
            "change classify.learned_splits or classify.test_share."
        )
    probabilities = classifier.model.probabilities(
        vectors(asked["components"].combine_chunks())
    )
    photos = asked.drop_columns(["components", "learned"]).to_pandas()
    learned = labelled_vectors.filter(labelled_vectors["learned"])
    films = learned["film"].unique().to_pylist()
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
    answers: pd.DataFrame, images: Batches, parameters: ClassifyParameters
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
