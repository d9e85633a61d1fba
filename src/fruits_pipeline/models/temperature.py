"""Calibrate a classifier with photos to which neither it nor its backbone was fitted.

A classifier is too confident on photos that were used to train the backbone, so
cross-validation over them finds probabilities and a threshold that are too high. One
parameter, the temperature, divides all logits (Guo et al., 2017, "On calibration of
modern neural networks"). It changes no order of labels, and the classifier stays linear.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fruits_pipeline.models.classifiers import Classifier, LabelledVectors
from fruits_pipeline.models.thresholds import reliable_threshold, separating_threshold

MIN_PHOTOS = 50
"""Smallest number of photos of learned labels for a calibration. With 55 photos of
Grocery val, the standard deviation of the threshold over random halves is 0.03."""

FOLDS = 5
"""Folds of the cross-fitting, and smallest number of series for a calibration."""

RIGHT_OF_ANSWERED = 0.95
"""Expected share of right answers, from which the threshold of a run follows."""

LOG_TEMPERATURES = (np.log(0.5), np.log(20))
"""Limits of the logarithm of the temperature. If every photo is answered correctly, the
best temperature is 0, so probabilities become at most twice as confident."""


def calibrating_rows(photos: LabelledVectors, training: LabelledVectors) -> np.ndarray:
    """Return which photos can calibrate a classifier, `bool [n]`.

    These are the photos of series without a training photo. All rows are False if fewer
    than `MIN_PHOTOS` of them have a learned label, or if they are of fewer than `FOLDS`
    series.

    Args:
        photos: Photos of the splits for calibration.
        training: Photos to which the classifier is fitted.
    """
    rows = ~np.isin(photos.groups, training.groups)
    known = np.isin(photos.labels[rows], training.labels).sum()
    series = len(np.unique(photos.groups[rows]))
    return rows & bool(known >= MIN_PHOTOS and series >= FOLDS)


def calibrate(
    model: Classifier, photos: LabelledVectors, right: float = RIGHT_OF_ANSWERED
) -> Classifier:
    """Return the classifier with another temperature and threshold.

    The temperature has the smallest log loss on photos of learned labels. The threshold
    is the larger of two: that at which a share of the answers is expected to be right, and
    that which best separates learned labels from others. Photos of other
    labels are simulated: the label of a photo is removed from the classifier. A
    calibration of the result with the same photos does not change it.

    Args:
        model: Classifier.
        photos: Photos to which it was not fitted, some of them of learned labels. Photos
            of other labels determine the threshold only.
        right: The share of right answers, 0 to 1.
    """
    columns = _columns(model, photos.labels)
    known = columns >= 0
    logits = model.logits(photos.vectors)
    temperature = _find_temperature(logits[known], columns[known])
    scaled = replace(
        model, weights=model.weights / temperature, bias=model.bias / temperature
    )
    return replace(scaled, threshold=_find_threshold(scaled, photos, right))


def cross_fit(
    model: Classifier,
    photos: LabelledVectors,
    rows: np.ndarray,
    seed: int,
    right: float = RIGHT_OF_ANSWERED,
) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities and thresholds for an evaluation.

    A photo of the calibration is answered with a temperature and a threshold that were
    found without its series: with the other of `FOLDS` folds.

    Args:
        model: Classifier, calibrated with the selected photos.
        photos: Photos to answer, `n`.
        rows: Which of them calibrated it, `bool [n]`.
        seed: Seed of the folds.
        right: The share of right answers with which it was calibrated.

    Returns:
        Probabilities, `[n, labels]`, and the threshold of each photo, `[n]`.
    """
    from sklearn.model_selection import GroupKFold

    probabilities = model.probabilities(photos.vectors)
    thresholds = np.full(len(probabilities), model.threshold)
    numbers = np.flatnonzero(rows)
    splitter = GroupKFold(FOLDS, shuffle=True, random_state=seed)
    folds = (
        splitter.split(numbers, groups=photos.groups[numbers]) if len(numbers) else ()
    )
    for others, tested in folds:
        refitted = calibrate(model, photos.where(numbers[others]), right)
        test = numbers[tested]
        probabilities[test] = refitted.probabilities(photos.vectors[test])
        thresholds[test] = refitted.threshold
    return probabilities, thresholds


def _columns(model: Classifier, labels: np.ndarray) -> np.ndarray:
    """Return the column of each label, -1 for labels that were not learned, `[n]`."""
    numbers = {label: number for number, label in enumerate(model.labels)}
    return np.array([numbers.get(label, -1) for label in labels.tolist()], dtype=int)


def _find_temperature(logits: np.ndarray, columns: np.ndarray) -> float:
    """Return the temperature with the smallest log loss.

    Args:
        logits: `[n, labels]`.
        columns: Column of the label of each row, `[n]`.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    rows = np.arange(len(columns))

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(scaled[rows, columns].mean())

    found = minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded")
    return float(np.exp(found.x))


def _find_threshold(model: Classifier, photos: LabelledVectors, right: float) -> float:
    """Return the threshold of a classifier with calibrated probabilities."""
    columns = _columns(model, photos.labels)
    known = columns >= 0
    confidences = model.probabilities(photos.vectors).max(axis=1)
    unknown = [confidences[~known]]
    if len(model.labels) > 2:  # noqa: PLR2004 - the label of a photo, and two others
        unknown.append(_confidences_without_label(model, photos.where(known)))
    return max(
        reliable_threshold(confidences[known], right),
        separating_threshold(confidences[known], np.concatenate(unknown)),
    )


def _confidences_without_label(
    model: Classifier, photos: LabelledVectors
) -> np.ndarray:
    """Return the largest probability of each photo if its label had no column, `[n]`."""
    from scipy.special import softmax

    logits = model.logits(photos.vectors)
    logits[np.arange(len(logits)), _columns(model, photos.labels)] = -np.inf
    return np.asarray(softmax(logits, axis=1).max(axis=1))
