"""Fit a classifier that says how sure it is, or that it does not know.

What it has to know of photos that it has not seen is measured out of fold, with whole
films apart, and by leaving labels out in turn.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from fruits_pipeline.models.classifiers import Classifier, Labelled, regress, softmax

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Inverse strengths of regularisation that are tried: scikit-learn's `C`, times the mean
squared length of the vectors, so that they mean the same whatever the backbone."""

FOLDS = 5
MEASURED = 100
"""Photos of a label, at most, that are asked out of fold."""

Fold = tuple[np.ndarray, np.ndarray]
"""Numbers of the rows to learn from, and of those to ask."""


def fit(known: Labelled, seed: int) -> Classifier:
    """Fit a classifier that is calibrated, and knows when it does not know.

    The strength of regularisation is that of the least log loss out of fold; scores are
    divided by the temperature of the least log loss (Guo et al., 2017, "On calibration of
    modern neural networks"); the threshold best tells photos of learned labels, out of
    fold, from those of labels that were left out.

    Args:
        known: What to learn from.
        seed: Of everything random.
    """
    asked = known.sample(MEASURED, seed)
    folds = _folds(asked, seed)
    if not folds:  # one film, or too few photos to set any apart
        return regress(known, max(STRENGTHS))
    trials = {c: _out_of_fold(asked, folds, c) for c in STRENGTHS}
    losses = {c: _log_loss(asked, scores) for c, scores in trials.items()}
    strength = min(losses, key=lambda c: losses[c])
    scores = trials[strength]
    temperature = _temperature(asked, scores)
    threshold = best_threshold(
        softmax(scores[_learned(asked, scores)] / temperature).max(axis=1),
        _sureness_of_left_out(asked, strength, temperature, seed),
    )
    plain = regress(known, strength)
    weights, bias = plain.weights / temperature, plain.bias / temperature
    return Classifier(plain.labels, weights, bias, threshold)


def best_threshold(known: np.ndarray, unknown: np.ndarray) -> float:
    """Return the probability that best tells known photos from unknown ones.

    Args:
        known: Greatest probability of each photo of a learned label.
        unknown: The same of photos of labels that were not learned.

    Returns:
        The probability at which the share of known photos at or above it and the share
        of unknown photos below it are the greatest together; 0 without unknown photos.
    """
    if not len(unknown):
        return 0.0
    tried = np.unique(known)
    kept = 1 - np.searchsorted(np.sort(known), tried) / len(known)
    refused = np.searchsorted(np.sort(unknown), tried) / len(unknown)
    return float(tried[(kept + refused).argmax()])


def _folds(known: Labelled, seed: int) -> list[Fold]:
    from sklearn.model_selection import StratifiedGroupKFold

    _, photos = np.unique(known.labels, return_counts=True)
    groups = _groups(known)
    count = min(FOLDS, len(np.unique(groups)), photos.max())
    if count == 1:
        return []
    cut = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of labels with few photos
        found = [*cut.split(known.vectors, known.labels, groups)]
    return [fold for fold in found if _says_something(known.labels, *fold)]


def _says_something(labels: np.ndarray, learned: np.ndarray, asked: np.ndarray) -> bool:
    """Say whether there is something to tell apart, and someone to ask about it."""
    several = len(np.unique(labels[learned])) > 1
    return several and bool(np.isin(labels[asked], labels[learned]).any())


def _groups(known: Labelled) -> np.ndarray:
    """Return films, or photos where no label has a second film to learn it from."""
    films = {*zip(known.labels.tolist(), known.groups.tolist(), strict=True)}
    several = len(films) > len(np.unique(known.labels))
    return known.groups if several else np.arange(len(known.labels))


def _out_of_fold(known: Labelled, folds: Sequence[Fold], strength: float) -> np.ndarray:
    """Return scores by classifiers that have not seen the photo, `[n, labels]`.

    Of labels that such a classifier has not learned they are minus infinity.
    """
    names = np.unique(known.labels)
    scores = np.full((len(known.labels), len(names)), -np.inf)
    for learned, asked in folds:
        model = regress(known.where(learned), strength)
        columns = np.searchsorted(names, model.labels)
        scores[np.ix_(asked, columns)] = model.scores(known.vectors[asked])
    return scores


def _own(known: Labelled, scores: np.ndarray) -> np.ndarray:
    """Return the score of each photo's own label."""
    columns = np.searchsorted(np.unique(known.labels), known.labels)
    return np.asarray(scores[np.arange(len(columns)), columns])


def _learned(known: Labelled, scores: np.ndarray) -> np.ndarray:
    """Say which photos were asked of a classifier that has learned their label."""
    return np.asarray(np.isfinite(_own(known, scores)))


def _log_loss(known: Labelled, scores: np.ndarray) -> float:
    rows = _learned(known, scores)
    own = _own(known, scores)[rows]
    return float(np.mean(np.logaddexp.reduce(scores[rows], axis=1) - own))


def _temperature(known: Labelled, scores: np.ndarray) -> float:
    from scipy.optimize import minimize_scalar

    def loss(logarithm: float) -> float:
        return _log_loss(known, scores / np.exp(logarithm))

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def _sureness_of_left_out(
    known: Labelled, strength: float, temperature: float, seed: int
) -> np.ndarray:
    """Return the greatest probability of photos whose label is left out of learning."""
    names = np.random.default_rng(seed).permutation(np.unique(known.labels))
    sure = []
    for left_out in np.array_split(names, FOLDS):
        out = np.isin(known.labels, left_out)
        if out.any() and len(np.unique(known.labels[~out])) > 1:
            model = regress(known.where(~out), strength)
            scores = model.scores(known.vectors[out]) / temperature
            sure.append(softmax(scores).max(axis=1))
    return np.concatenate(sure) if sure else np.empty(0)
