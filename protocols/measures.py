"""Accuracy of features: of classifiers, of the nearest neighbour, of a few photos."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize

from fruits_pipeline.models import calibration, pca
from fruits_pipeline.models.classifiers import (
    Classifier,
    LabelledVectors,
    fit_logistic_regression,
)
from fruits_pipeline.models.metrics import add_answers, evaluate
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.temperature import RIGHT_OF_ANSWERED, cross_fit

VARIANCE = 0.95
RELATIVE_C = 30.0  # the same for all features
SEED = 360
SHOTS = (1, 5, 20)
DRAWS = 20


class Task(NamedTuple):
    """Training and test photos of a classifier."""

    train: LabelledVectors
    test: LabelledVectors

    def transform(self, function: Callable[[np.ndarray], np.ndarray]) -> Task:
        """Return the task with transformed vectors."""
        parts = [(function(p.vectors), p.labels, p.groups) for p in self]
        return Task(*(LabelledVectors(*part) for part in parts))

    def reduce(self) -> Task:
        """Return the task after the PCA of the pipeline, fitted to the training photos."""
        moments = moments_of(self.train.vectors)
        model = pca.fit(moments, VARIANCE, standardise=False, max_components=None)
        return self.transform(model.transform)

    def normalise(self) -> Task:
        """Return the task with unit vectors, seen from the mean of the training photos."""
        mean = self.train.vectors.mean(axis=0)
        return self.transform(lambda vectors: normalize(vectors - mean))


def measure_regression(task: Task) -> float:
    """Return the accuracy of a logistic regression, on photos of training labels."""
    model = fit_logistic_regression(task.train, RELATIVE_C)
    test = task.test.where(np.isin(task.test.labels, model.labels))
    found = model.predict_labels(model.logits(test.vectors))
    return float((found == test.labels).mean())


def measure_classifier(task: Task) -> dict[str, float]:
    """Return metrics of the classifier of the pipeline; see `measure_answers`."""
    return measure_answers(calibration.fit(task.train, SEED), task)


def measure_answers(
    model: Classifier, task: Task, calibrated_right: float | None = None
) -> dict[str, float]:
    """Return metrics of a classifier, which can answer "unknown".

    Args:
        model: Classifier, trained on the training photos of the task.
        task: Its test photos are answered.
        calibrated_right: Share of right answers with which the test photos calibrated the
            classifier; they are answered by cross-fitting, see `temperature.cross_fit`.
            None if they did not calibrate it.

    Returns:
        Of photos of training labels: `accuracy`, without the threshold; `answered`, the
        share that is answered; `right`, the accuracy of the answers. Of photos of other
        labels, if there are any: `refused`, the share that is not answered.
    """
    photos = pd.DataFrame({"label": task.test.labels, "path": task.test.groups})
    photos["series_learned"] = np.isin(task.test.groups, task.train.groups)
    rows = np.full(len(photos), calibrated_right is not None)
    right = calibrated_right or RIGHT_OF_ANSWERED
    probabilities, thresholds = cross_fit(model, task.test, rows, SEED, right)
    answers = add_answers(photos, probabilities, model, thresholds)
    metrics = evaluate(answers, model)
    shares = {
        "accuracy": metrics["accuracy"],
        "answered": metrics["answered"],
        "right": metrics["right_of_answered"],
        "refused": metrics["unknown_refused"],
    }
    return {name: share for name, share in shares.items() if share is not None}


def measure_neighbour(task: Task) -> float:
    """Return the accuracy of the label of the nearest training photo, by cosine."""
    train, test = task.normalise()
    model = KNeighborsClassifier(n_neighbors=1).fit(train.vectors, train.labels)
    return float(model.score(test.vectors, test.labels))


def measure_few(task: Task) -> dict[int, float]:
    """Return the accuracy of the nearest mean of 1, 5 or 20 training photos of each label.

    It is the mean of random draws; a label with fewer photos uses all of them.
    """
    train, test = task.normalise()
    names = np.unique(train.labels)
    found: dict[int, list[float]] = {shots: [] for shots in SHOTS}
    for draw in range(DRAWS):
        for shots, accuracies in found.items():
            rng = np.random.default_rng((SEED, draw))
            means = []
            for name in names:
                rows = rng.permutation(np.flatnonzero(train.labels == name))[:shots]
                means.append(train.vectors[rows].mean(axis=0))
            nearest = (test.vectors @ normalize(np.array(means)).T).argmax(axis=1)
            accuracies.append((names[nearest] == test.labels).mean())
    return {shots: float(np.mean(accuracies)) for shots, accuracies in found.items()}


def measure_both(task: Task, measure: Callable[[Task], Any]) -> dict[str, Any]:
    """Return a measure of the features, and of the features after PCA."""
    return {"features": measure(task), "reduced": measure(task.reduce())}
