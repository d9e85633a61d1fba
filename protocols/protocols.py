"""The protocols: which photos a classifier is trained with, and which it is tested with."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from fruits_pipeline.models.classifiers import LabelledVectors
from protocols import measures
from protocols.data import FRUITS, GROCERY, HELD_OUT_LABELS, HELD_OUT_SERIES
from protocols.measures import Task, measure_both, measure_classifier

TRAINING, TEST = ("training", "train"), ("test", "val")
Photos = Mapping[str, pd.DataFrame]
Features = Mapping[str, np.ndarray]


def _task(
    photos: pd.DataFrame, features: np.ndarray, train: pd.Series, test: pd.Series
) -> Task:
    labels, series = (photos[name].to_numpy(dtype=str) for name in ("label", "series"))
    vectors = LabelledVectors(features, labels, series)
    return Task(vectors.where(train.to_numpy()), vectors.where(test.to_numpy()))


def official_split(photos: pd.DataFrame, features: np.ndarray) -> Task:
    """Train on the training split, test on the other one."""
    train, test = photos["split"].isin(TRAINING), photos["split"].isin(TEST)
    return _task(photos, features, train, test)


def across_series(photos: pd.DataFrame, features: np.ndarray) -> Task:
    """Train on the other series of each fruit, test on the held-out series."""
    held_out = photos["series"].str.endswith(HELD_OUT_SERIES)
    labels = set(photos["label"][held_out]) & set(photos["label"][~held_out])
    in_both = photos["label"].isin(labels)
    return _task(photos, features, in_both & ~held_out, in_both & held_out)


def held_out_fruits(photos: pd.DataFrame, features: np.ndarray) -> Task:
    """Like `across_series`, with the held-out labels of Fruits-360."""
    held_out = photos["series"].str.endswith(HELD_OUT_SERIES)
    chosen = photos["label"].isin(HELD_OUT_LABELS[FRUITS])
    return _task(photos, features, chosen & ~held_out, chosen & held_out)


def held_out_grocery(photos: pd.DataFrame, features: np.ndarray) -> Task:
    """Train on the first half of each held-out label of Grocery, test on the second.

    Photos that follow each other show the same shelf.
    """
    by_label = photos.groupby("label")["label"]
    in_first_half = by_label.cumcount() < by_label.transform("size") // 2
    chosen = photos["label"].isin(HELD_OUT_LABELS[GROCERY])
    return _task(photos, features, chosen & in_first_half, chosen & ~in_first_half)


def unknown_labels(photos: pd.DataFrame, features: np.ndarray, set_name: str) -> Task:
    """Train on the training split without held-out labels, test on all labels."""
    held_out = photos["label"].isin(HELD_OUT_LABELS[set_name])
    train = photos["split"].isin(TRAINING) & ~held_out
    return _task(photos, features, train, photos["split"].isin(TEST))


def measure_all_photos(photos: Photos, features: Features) -> dict[str, Any]:
    """Measure a backbone that may be trained on all of the training splits."""
    fruits = official_split(photos[FRUITS], features[FRUITS])
    grocery = official_split(photos[GROCERY], features[GROCERY])
    return {
        **_measure_classifiers("1. Fruits-360, official split", fruits),
        **_measure_classifiers("3. Grocery, train to val", grocery),
    }


def measure_held_out(photos: Photos, features: Features) -> dict[str, Any]:
    """Measure a backbone that was trained without the held-out series and labels."""
    series = across_series(photos[FRUITS], features[FRUITS])
    found = _measure_classifiers("2. Fruits-360, held-out series", series)
    for name, select in {FRUITS: held_out_fruits, GROCERY: held_out_grocery}.items():
        data = photos[name], features[name]
        title = f"4. {len(HELD_OUT_LABELS[name])} held-out labels of {name}"
        for suffix, measure in (
            ("nearest neighbour", measures.measure_neighbour),
            ("few photos", measures.measure_few),
        ):
            found[f"{title}, {suffix}"] = measure_both(select(*data), measure)
        refusal = measure_classifier(unknown_labels(*data, name).reduce())
        found[f"4. held-out labels of {name}, classifier"] = {"reduced": refusal}
    return found


def _measure_classifiers(title: str, task: Task) -> dict[str, Any]:
    return {
        title: measure_both(task, measures.measure_regression),
        f"{title}, classifier": {"reduced": measure_classifier(task.reduce())},
    }
