"""Accuracy of features: by classifiers, by the nearest neighbour, from a few photos."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fruits_pipeline.models import calibration, pca
from fruits_pipeline.models.classifiers import Labelled, regress
from fruits_pipeline.models.metrics import answers_to, evaluate
from fruits_pipeline.models.moments import moments_of

VARIANCE = 0.95
SEED = 360
DRAWS = 20
SHOTS = (1, 5, 20)
STRENGTH = 30.0
"""Inverse strength of regularisation, the same whatever is compared."""


@dataclass(frozen=True)
class Learned:
    """Photos to learn from, and photos to ask.

    Attributes:
        known: To learn from.
        asked: To ask; of the labels that are known, unless the measure says otherwise.
    """

    known: Labelled
    asked: Labelled

    def reduced(self) -> Learned:
        """Return the same after the chain's PCA, fitted to what is learned from."""
        moments = moments_of(self.known.vectors)
        model = pca.fit(moments, VARIANCE, standardise=False, max_components=None)
        return Learned(
            *(_transformed(model, part) for part in (self.known, self.asked))
        )


def _transformed(model: pca.Pca, photos: Labelled) -> Labelled:
    return Labelled(model.transform(photos.vectors), photos.labels, photos.groups)


def by_regression(learned: Learned) -> float:
    """Return how often the most probable label is right, of photos of known labels."""
    model = regress(learned.known, STRENGTH)
    asked = learned.asked.where(np.isin(learned.asked.labels, model.labels))
    return float((model.named(model.scores(asked.vectors)) == asked.labels).mean())


def by_classifier(learned: Learned) -> Mapping[str, float]:
    """Return what the classifier of the chain is worth, calibrated and all.

    Args:
        learned: Photos asked may be of labels that are not known.

    Returns:
        `accuracy` of the most probable label of photos of known labels; `answered`, the
        share of them that is not said to be unknown, and how often that is `right`;
        `refused`, the share of the others that is said to be unknown.
    """
    model = calibration.fit(learned.known, SEED)
    photos = pd.DataFrame({"label": learned.asked.labels, "path": learned.asked.groups})
    photos["film_learned"] = np.isin(learned.asked.groups, learned.known.groups)
    probabilities = model.probabilities(learned.asked.vectors)
    found = evaluate(answers_to(photos, probabilities, model), model)
    names = {"accuracy": "accuracy", "answered": "answered"}
    names |= {"right": "right_of_answered", "refused": "unknown_refused"}
    shares = {name: found[theirs] for name, theirs in names.items()}
    return {name: share for name, share in shares.items() if share is not None}


def by_neighbour(learned: Learned) -> float:
    """Return how often the most similar known photo is of the same label, by cosine."""
    known, asked = _directions(learned)
    nearest = (asked @ known.T).argmax(axis=1)
    return float((learned.known.labels[nearest] == learned.asked.labels).mean())


def by_few(learned: Learned) -> Mapping[int, float]:
    """Return how often the nearest mean of 1, 5 or 20 known photos a label is right.

    It is the mean over draws of the photos; who has fewer gives all.
    """
    return {shots: float(np.mean(_draws(learned, shots))) for shots in SHOTS}


def _draws(learned: Learned, shots: int) -> list[float]:
    known, asked = _directions(learned)
    names = np.unique(learned.known.labels)
    found = []
    for draw in range(DRAWS):
        rng = np.random.default_rng((SEED, draw))
        means = []
        for name in names:
            own = rng.permutation(np.flatnonzero(learned.known.labels == name))
            means.append(known[own[:shots]].mean(axis=0))
        best = names[(asked @ _unit(np.array(means)).T).argmax(axis=1)]
        found.append(float((best == learned.asked.labels).mean()))
    return found


def _directions(learned: Learned) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors of length 1, from the middle of the known photos."""
    middle = learned.known.vectors.mean(axis=0)
    return tuple(  # type: ignore[return-value]
        _unit(part.vectors - middle) for part in (learned.known, learned.asked)
    )


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1))
