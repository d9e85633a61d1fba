"""Linear classifier of vectors: multinomial logistic regression."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

UNKNOWN = "unknown"
"""Text for the absence of an answer, if the probability of each label is too small."""

MAX_ITERATIONS = 500
"""Maximum number of iterations of the solver."""


@dataclass(frozen=True)
class Classifier:
    """A linear layer followed by a softmax.

    Attributes:
        labels: Labels in the order of the columns.
        weights: `float64 [k, labels]`.
        bias: `float64 [labels]`.
        threshold: Smallest probability at which a label is answered.
    """

    labels: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray
    threshold: float = 0.0

    def logits(self, vectors: np.ndarray) -> np.ndarray:
        """Map vectors `[n, k]` to unnormalised log-probabilities `[n, labels]`."""
        return np.asarray(vectors @ self.weights + self.bias)

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Map vectors `[n, k]` to probabilities, `float64 [n, labels]`."""
        from scipy.special import softmax

        return np.asarray(softmax(self.logits(vectors), axis=1))

    def predict_labels(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the label with the largest of the probabilities `[n, labels]`, `[n]`."""
        labels = np.array(self.labels, dtype=object)
        return np.asarray(labels[probabilities.argmax(axis=1)])

    def predict_answers(
        self, probabilities: np.ndarray, thresholds: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the predicted labels, or None below the threshold, `[n]`.

        Args:
            probabilities: Probabilities, `[n, labels]`.
            thresholds: Threshold of each row, `[n]`; None for that of the classifier.
        """
        limits = self.threshold if thresholds is None else thresholds
        answers = self.predict_labels(probabilities)
        answers[probabilities.max(axis=1) < limits] = None
        return answers


def distinct_text(text: str, labels: Iterable[str]) -> str:
    """Return text, in as many parentheses as it takes to differ from all labels.

    Args:
        text: What to show instead of a label, such as `UNKNOWN`, in lower case.
        labels: All labels that are shown.
    """
    taken = {label.strip().lower() for label in labels}
    while text in taken:
        text = f"({text})"
    return text


@dataclass(frozen=True)
class LabelledVectors:
    """Training data of a classifier, one row per photo.

    Attributes:
        vectors: `float32 [n, k]`.
        labels: `str [n]`, at least two different ones.
        groups: Series or photo IDs, `[n]`. Rows of one group are never divided between
            training and test.
    """

    vectors: np.ndarray
    labels: np.ndarray
    groups: np.ndarray

    def where(self, rows: np.ndarray) -> LabelledVectors:
        """Return the rows selected by a Boolean mask or by indices."""
        return LabelledVectors(self.vectors[rows], self.labels[rows], self.groups[rows])


def sample_rows(labels: np.ndarray, rows_per_label: int, seed: int) -> np.ndarray:
    """Return the sorted indices of up to `rows_per_label` random rows of each label."""
    order = np.random.default_rng(seed).permutation(len(labels))
    rows = [
        order[labels[order] == label][:rows_per_label] for label in np.unique(labels)
    ]
    return np.sort(np.concatenate(rows))


def total_variance(vectors: np.ndarray) -> np.floating | float:
    """Return the sum of the variances of all columns; 1 if no column varies.

    The result has the precision of the vectors.
    """
    squared_lengths = np.square(vectors - vectors.mean(axis=0)).sum(axis=1)
    return squared_lengths.mean() or 1.0


@contextmanager
def solver_settings() -> Iterator[None]:
    """Use one thread, and do not warn if `MAX_ITERATIONS` is reached.

    The matrices are small: several threads mostly wait for each other, and are up to 100
    times slower if other processes use the cores. The limit applies to libraries that
    are loaded already, so import the estimator first.
    """
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with (
        threadpool_limits(1),
        warnings.catch_warnings(action="ignore", category=ConvergenceWarning),
    ):
        yield


def fit_logistic_regression(photos: LabelledVectors, relative_c: float) -> Classifier:
    """Fit a logistic regression, without calibration and threshold.

    Args:
        photos: Training data.
        relative_c: Inverse regularisation strength: scikit-learn's `C` times the total
            variance of the vectors, so that it is independent of their unit.
    """
    from sklearn.linear_model import LogisticRegression

    c = relative_c / total_variance(photos.vectors)
    model = LogisticRegression(C=c, max_iter=MAX_ITERATIONS)
    with solver_settings():
        model.fit(photos.vectors, photos.labels)
    weights, bias = model.coef_.T, model.intercept_
    if len(bias) == 1:  # two labels: scikit-learn has logits of the second label only
        weights, bias = (np.concatenate([0 * a, a], axis=-1) for a in (weights, bias))
    return Classifier(tuple(model.classes_.tolist()), weights, bias)
