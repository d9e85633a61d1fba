"""The protocols: which photos are learned from, and which are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fruits_pipeline.models.classifiers import Labelled
from protocols.measures import (
    Learned,
    by_classifier,
    by_few,
    by_neighbour,
    by_regression,
)
from protocols.photos import FRUITS, GROCERY, LEFT_OUT, Photos

TRAINING, VALIDATION = ("training", "train"), ("test", "val")

Features = Mapping[str, np.ndarray]
"""Of all photos of each set, in their order."""

Sets = Mapping[str, Photos]


def _labelled(photos: Photos, features: np.ndarray, rows: np.ndarray) -> Labelled:
    return Labelled(features, photos.labels, photos.films).where(rows)


def official_split(photos: Photos, features: np.ndarray) -> Learned:
    """Learn from the training split, ask about the other."""
    training = np.isin(photos.splits, TRAINING)
    known, asked = training, np.isin(photos.splits, VALIDATION)
    return Learned(*(_labelled(photos, features, rows) for rows in (known, asked)))


def films_apart(photos: Photos, features: np.ndarray) -> Learned:
    """Learn from one film of each fruit, ask about its other film, of any split."""
    both = np.intersect1d(
        photos.labels[photos.is_apart], photos.labels[~photos.is_apart]
    )
    of_both = np.isin(photos.labels, both)
    known, asked = of_both & ~photos.is_apart, of_both & photos.is_apart
    return Learned(*(_labelled(photos, features, rows) for rows in (known, asked)))


def unseen_fruits(photos: Photos, features: np.ndarray) -> Learned:
    """Learn kinds that were in no training from one film, ask about the other."""
    unseen = np.isin(photos.labels, LEFT_OUT[FRUITS])
    known, asked = unseen & ~photos.is_apart, unseen & photos.is_apart
    return Learned(*(_labelled(photos, features, rows) for rows in (known, asked)))


def unseen_grocery(photos: Photos, features: np.ndarray) -> Learned:
    """Learn kinds that were in no training from the first half of their photos.

    Photos that were taken one after the other show the same shelf.
    """
    known = np.zeros(len(photos.labels), dtype=bool)
    asked = known.copy()
    for label in LEFT_OUT[GROCERY]:
        own = np.flatnonzero(photos.labels == label)
        known[own[: len(own) // 2]] = True
        asked[own[len(own) // 2 :]] = True
    return Learned(*(_labelled(photos, features, rows) for rows in (known, asked)))


def strangers(photos: Photos, features: np.ndarray, set_name: str) -> Learned:
    """Learn all kinds but those left out, from the training split; ask about all."""
    training = np.isin(photos.splits, TRAINING)
    stranger = np.isin(photos.labels, LEFT_OUT[set_name])
    known, asked = training & ~stranger, np.isin(photos.splits, VALIDATION)
    return Learned(*(_labelled(photos, features, rows) for rows in (known, asked)))


def classified(name: str, learned: Learned) -> dict[str, Any]:
    """Return accuracy of features and reduced, and what the chain says of the latter."""
    reduced = learned.reduced()
    return {
        name: {"features": by_regression(learned), "reduced": by_regression(reduced)},
        f"{name}, by the chain": {"reduced": by_classifier(reduced)},
    }


def measured(learned: Learned, of: Callable[[Learned], Any]) -> dict[str, Any]:
    """Return a measure of features as they are, and after the chain's PCA."""
    return {"features": of(learned), "reduced": of(learned.reduced())}


def trained_on_all(sets: Sets, features: Features) -> dict[str, Any]:
    """Return what a backbone is worth that may have seen the training splits."""
    fruits, grocery = (official_split(sets[s], features[s]) for s in (FRUITS, GROCERY))
    return {
        **classified("1. Fruits-360, official split", fruits),
        **classified("3. Grocery, train to val", grocery),
    }


def trained_apart(sets: Sets, features: Features) -> dict[str, Any]:
    """Return what a backbone is worth that has not seen the film and the kinds apart."""
    films = films_apart(sets[FRUITS], features[FRUITS])
    found = classified("2. Fruits-360, whole films apart", films)
    unseen = {FRUITS: unseen_fruits, GROCERY: unseen_grocery}
    for name, select in unseen.items():
        learned = select(sets[name], features[name])
        kinds = f"4. {len(LEFT_OUT[name])} unseen kinds of {name}"
        found[f"{kinds}, nearest neighbour"] = measured(learned, by_neighbour)
        found[f"{kinds}, few photos"] = measured(learned, by_few)
        asked = strangers(sets[name], features[name], name)
        strange = by_classifier(asked.reduced())
        found[f"4. unseen kinds of {name} are unknown"] = {"reduced": strange}
    return found
