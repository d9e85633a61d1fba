"""Fit a classifier with calibrated probabilities and a threshold for "unknown".

Cross-validation over series chooses the regularisation, which determines how confident
probabilities are. Cross-validation over labels chooses the threshold: a classifier that
was not trained on a label should answer "unknown" to its photos. If there are photos to
which neither the backbone was fitted, they calibrate the probabilities and choose the
threshold instead; see `temperature`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fruits_pipeline.models.classifiers import (
    MAX_ITERATIONS,
    Classifier,
    LabelledVectors,
    fit_logistic_regression,
    sample_rows,
    solver_settings,
    total_variance,
)
from fruits_pipeline.models.temperature import calibrate
from fruits_pipeline.models.thresholds import separating_threshold

RELATIVE_C = (0.1, 1.0, 10.0, 100.0, 1000.0)
"""Candidates for the argument `relative_c` of `fit_logistic_regression`."""

DEFAULT_RELATIVE_C = 100.0
"""`relative_c` if there are too few photos for cross-validation."""

FOLDS = 5

PHOTOS_PER_LABEL = 100
"""Maximum photos of a label in cross-validation, so that it takes seconds."""

Fold = tuple[np.ndarray, np.ndarray]
"""Indices of the training rows and of the test rows."""


def fit(
    photos: LabelledVectors, seed: int, validation: LabelledVectors | None = None
) -> Classifier:
    """Fit a logistic regression with the regularisation of the smallest log loss.

    The log loss is a proper scoring rule, so its minimum favours calibrated
    probabilities. If there are too few photos for cross-validation, the regularisation
    is `DEFAULT_RELATIVE_C`; and the threshold 0, without validation photos.

    Args:
        photos: Training data.
        seed: Seed of the sample and of the folds.
        validation: Other photos, with which temperature and threshold are estimated; see
            `temperature.calibrate`. None to estimate the threshold by cross-validation.
    """
    sample = photos.where(sample_rows(photos.labels, PHOTOS_PER_LABEL, seed))
    folds = series_folds(sample, seed)
    relative_c = _choose_c(sample, folds) if folds else DEFAULT_RELATIVE_C
    if validation is not None:
        return calibrate(fit_logistic_regression(photos, relative_c), validation)
    if not folds:
        return fit_logistic_regression(photos, relative_c)
    threshold = separating_threshold(
        _confidences(sample, folds, relative_c),
        _confidences(sample, label_folds(sample, seed), relative_c),
    )
    return replace(fit_logistic_regression(photos, relative_c), threshold=threshold)


def series_folds(photos: LabelledVectors, seed: int) -> list[Fold]:
    """Return cross-validation folds that do not divide a series.

    If no label has more than one series, the folds divide series, because no label could
    be tested otherwise. Test rows of labels without a training row in the same fold are
    omitted, and so are folds without test rows or with fewer than two training labels.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    labels, counts = np.unique(photos.labels, return_counts=True)
    series = {*zip(photos.labels.tolist(), photos.groups.tolist(), strict=True)}
    divide = len(series) == len(labels)
    groups = np.arange(len(photos.labels)) if divide else photos.groups
    count = min(FOLDS, len(np.unique(groups)), counts.max())
    if count == 1:
        return []
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        # Some labels have fewer photos than there are folds.
        folds = [*splitter.split(photos.vectors, photos.labels, groups)]
    return [
        (train, test[known])
        for train, test in folds
        if (known := np.isin(photos.labels[test], photos.labels[train])).any()
        and len(np.unique(photos.labels[train])) > 1
    ]


def label_folds(photos: LabelledVectors, seed: int) -> list[Fold]:
    """Return cross-validation folds that test each label without training on it.

    With fewer than three labels there are no folds.
    """
    from sklearn.model_selection import GroupKFold

    count = len(np.unique(photos.labels))
    if count <= 2:  # noqa: PLR2004 - two labels for training and one for testing
        return []
    splitter = GroupKFold(min(FOLDS, count), shuffle=True, random_state=seed)
    return [*splitter.split(photos.vectors, groups=photos.labels)]


def _choose_c(photos: LabelledVectors, folds: Sequence[Fold]) -> float:
    """Return the candidate with the smallest log loss on the test rows."""
    from sklearn.linear_model import LogisticRegressionCV

    variance = total_variance(photos.vectors)
    search = LogisticRegressionCV(
        Cs=np.array(RELATIVE_C) / variance,
        cv=folds,
        scoring="neg_log_loss",
        max_iter=MAX_ITERATIONS,
        l1_ratios=(0,),
        use_legacy_attributes=False,
    )
    with solver_settings():
        search.fit(photos.vectors, photos.labels)
    return float(search.C_ * variance)


def _confidences(
    photos: LabelledVectors, folds: Sequence[Fold], relative_c: float
) -> np.ndarray:
    """Return the largest probability of each test row of all folds, `[n]`."""
    confidences = [np.empty(0)]
    for train, test in folds:
        model = fit_logistic_regression(photos.where(train), relative_c)
        confidences.append(model.probabilities(photos.vectors[test]).max(axis=1))
    return np.concatenate(confidences)
