"""A linear classifier of vectors: logistic regression, by scikit-learn."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

UNKNOWN = "unknown"
"""The answer to a photo that is like nothing learned."""

MOST_STEPS = 500


@dataclass(frozen=True)
class Classifier:
    """Probabilities of labels, from vectors.

    Attributes:
        labels: In the order of columns.
        weights: `float64 [k, labels]`.
        bias: `float64 [labels]`.
        threshold: Least probability of an answer; less is `UNKNOWN`.
    """

    labels: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray
    threshold: float = 0.0

    def scores(self, vectors: np.ndarray) -> np.ndarray:
        """Map vectors `[n, k]` to log-probabilities but for a constant, `[n, labels]`."""
        return np.asarray(vectors @ self.weights + self.bias)

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Map vectors `[n, k]` to probabilities, `float64 [n, labels]`."""
        return softmax(self.scores(vectors))

    def named(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the most probable label of each row of `[n, labels]`."""
        names = np.array(self.labels, dtype=object)
        return np.asarray(names[probabilities.argmax(axis=1)])

    def answers(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the most probable label, or `UNKNOWN`, of each row.

        Args:
            probabilities: `[n, labels]`.
        """
        sure = probabilities.max(axis=1) >= self.threshold
        return np.where(sure, self.named(probabilities), UNKNOWN)


@dataclass(frozen=True)
class Labelled:
    """Vectors to learn from.

    Attributes:
        vectors: `float32 [n, k]`.
        labels: Of two kinds at least, `str [n]`.
        groups: Films, or photos: what no fold tears apart, `str [n]`.
    """

    vectors: np.ndarray
    labels: np.ndarray
    groups: np.ndarray

    def where(self, rows: np.ndarray) -> Labelled:
        """Return some rows, by a mask or by their numbers."""
        return Labelled(self.vectors[rows], self.labels[rows], self.groups[rows])

    def sample(self, most: int, seed: int) -> Labelled:
        """Return so many photos of a label by chance, or all where there are fewer."""
        return self.where(sample(self.labels, most, seed))


def sample(labels: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Return numbers of so many rows of each label by chance, in their order."""
    order = np.random.default_rng(seed).permutation(len(labels))
    rows = [order[labels[order] == name][:most] for name in np.unique(labels)]
    return np.sort(np.concatenate(rows))


def softmax(scores: np.ndarray) -> np.ndarray:
    """Map scores to probabilities, row by row, `float64 [n, labels]`."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def regress(known: Labelled, strength: float) -> Classifier:
    """Fit a logistic regression, and nothing more.

    Args:
        known: What to learn from.
        strength: Inverse strength of regularisation, relative to the vectors' mean
            squared length.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    spread = np.square(known.vectors - known.vectors.mean(axis=0)).sum(axis=1).mean()
    model = LogisticRegression(C=strength / (spread or 1), max_iter=MOST_STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(known.vectors, known.labels)
    weights, bias = model.coef_.T, model.intercept_
    if len(bias) == 1:  # of two labels, scikit-learn gives the scores of the second
        weights, bias = (np.concatenate([0 * a, a], axis=-1) for a in (weights, bias))
    return Classifier(tuple(model.classes_.tolist()), weights, bias)
