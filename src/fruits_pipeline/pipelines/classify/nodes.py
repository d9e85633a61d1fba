"""Train a classifier on reduced vectors, evaluate it, and build the phone model."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame

from fruits_pipeline.datasets import FittedClassifier, FittedPca
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models import calibration, metrics
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.neighbours import find_nearest, unit_vectors
from fruits_pipeline.models.phone_models import PhoneCard, PhoneModel, fuse
from fruits_pipeline.models.temperature import cross_fit
from fruits_pipeline.parameters import (
    ClassifyParameters,
    FeaturizeParameters,
    PreprocessParameters,
)
from fruits_pipeline.pipelines.classify.selection import collect_photos, sample_sizes

logger = logging.getLogger(__name__)


def train_classifier(
    labelled_vectors: DataFrame, pca: FittedPca, parameters: ClassifyParameters
) -> FittedClassifier:
    """Fit a classifier to the training photos.

    Temperature and threshold are estimated with the photos of `calibrated_splits`, if
    there are enough; otherwise by cross-validation.

    Args:
        labelled_vectors: Result of `select_labelled`.
        pca: The PCA that computed the vectors.
        parameters: Parameters of the stage.

    Raises:
        FruitsError: If the training photos have fewer than two labels.
    """
    photos = collect_photos(labelled_vectors.where("training or calibrates"))
    count, labels = photos.training_rows.num_rows, np.unique(photos.training.labels)
    if len(labels) <= 1:
        raise FruitsError(
            f"Found {count} photos of {len(labels)} label(s) to learn from; "
            "expected at least two labels. Add labelled photos, or change "
            "classify.training_splits, or ingest.path_rules if paths contain the labels."
        )
    model = calibration.fit(photos.training, parameters.seed, photos.validation)
    logger.info(
        "Trained a classifier of %d labels on %d photos, and calibrated it with %d "
        "others; the answer is unknown below a probability of %.1f %%",
        len(labels),
        count,
        photos.calibrating.sum(),
        100 * model.threshold,
    )
    return FittedClassifier(model, pca.model.digest)


def answer_photos(
    labelled_vectors: DataFrame,
    classifier: FittedClassifier,
    parameters: ClassifyParameters,
) -> pd.DataFrame:
    """Classify the test photos.

    Photos that calibrated the classifier are answered with a temperature and a threshold
    that were estimated with others of them; see `temperature.cross_fit`.

    Returns:
        One row per test photo with the columns of `metrics.add_answers`,
        `calibrates` (whether the classifier was calibrated with it), `series_learned`
        (whether there are training photos of the same series), and path, label, batch and
        similarity of the most similar training photo (`nearest_path`, ...).

    Raises:
        FruitsError: If there are no test photos.
    """
    photos = collect_photos(labelled_vectors)
    training, test = photos.training, photos.test
    if not len(test.labels):
        raise FruitsError(
            f"Found {len(training.labels)} labelled photos, all of them for training; "
            "expected some to test with. Add photos in a split that is not in "
            "classify.training_splits, or change this parameter or classify.test_share."
        )
    rows = photos.test_rows.to_pandas()
    rows["calibrates"] = photos.calibrating
    rows["series_learned"] = np.isin(test.groups, training.groups)
    vectors, others = (unit_vectors(part.vectors) for part in (test, training))
    nearest, rows["nearest_similarity"] = find_nearest(vectors, others)
    for name in ("path", "label", "batch"):
        rows[f"nearest_{name}"] = photos.training_rows[name].take(nearest).to_pylist()
    model = classifier.model
    answers = cross_fit(model, test, photos.calibrating, parameters.seed)
    return metrics.add_answers(rows, answers[0], model, answers[1])


def evaluate_answers(
    answers: pd.DataFrame,
    classifier: FittedClassifier,
    reduced_counts: pd.DataFrame,
    parameters: ClassifyParameters,
) -> dict[str, Any]:
    """Return the metrics of the answers; see `metrics.evaluate`.

    `calibration_photos` is the number of photos with which the classifier was calibrated;
    they are among `photos`. If training and test photos are from a sample, `sample` is
    its size and the number of all photos; otherwise None.
    """
    count, limit = sample_sizes(reduced_counts, parameters)
    return metrics.evaluate(answers, classifier.model) | {
        "calibration_photos": int(answers["calibrates"].sum()),
        "sample": {"photos": limit, "of": count} if count > limit else None,
    }


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
