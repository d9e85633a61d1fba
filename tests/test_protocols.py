from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fruits_pipeline.models.classifiers import (
    LabelledVectors,
    fit_logistic_regression,
)
from fruits_pipeline.models.temperature import (
    RIGHT_OF_ANSWERED,
    calibrate,
    cross_fit,
)
from protocols import page, protocols
from protocols.data import FRUITS, GROCERY, HELD_OUT_LABELS
from protocols.measures import (
    SEED,
    Task,
    measure_answers,
    measure_few,
    measure_neighbour,
    measure_regression,
)


def labelled(count: int, noise: float, seed: int) -> LabelledVectors:
    """Return vectors of three labels, each around another corner of a cube."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(count) % 3
    vectors = np.eye(3, 8)[numbers] + rng.normal(0, noise, (count, 8))
    names = np.array(["Apple", "Pear", "Plum"])[numbers]
    groups = np.arange(count).astype(str)
    return LabelledVectors(vectors.astype(np.float32), names, groups)


SEPARABLE = Task(labelled(60, 0.05, seed=1), labelled(30, 0.05, seed=2))
RANDOM = Task(labelled(60, 50, seed=1), labelled(300, 50, seed=2))


@pytest.mark.parametrize("measure", [measure_regression, measure_neighbour])
def test_accuracy_is_1_for_separable_labels(measure: Callable[[Task], float]) -> None:
    assert measure(SEPARABLE) == measure(SEPARABLE.reduce()) == 1
    assert measure(RANDOM) == pytest.approx(1 / 3, abs=0.1)


def test_accuracy_of_few_photos_is_1_for_separable_labels() -> None:
    assert measure_few(SEPARABLE) == {1: 1, 5: 1, 20: 1}
    assert all(abs(share - 1 / 3) < 0.1 for share in measure_few(RANDOM).values())


def test_regression_ignores_photos_of_unknown_labels() -> None:
    train = SEPARABLE.train.where(SEPARABLE.train.labels != "Plum")
    assert measure_regression(Task(train, SEPARABLE.test)) == 1
    neighbour = measure_neighbour(Task(train, SEPARABLE.test))
    assert neighbour == pytest.approx(2 / 3)


def test_photos_that_calibrated_a_classifier_are_answered_by_cross_fitting() -> None:
    task = Task(labelled(60, 0.5, seed=1), labelled(60, 0.5, seed=2))
    model = calibrate(fit_logistic_regression(task.train, 10.0), task.test)
    apart, _ = cross_fit(model, task.test, np.ones(60, bool), SEED)
    own = model.probabilities(task.test.vectors)
    assert not np.allclose(apart, own)
    right = model.predict_labels(own) == task.test.labels
    plain, crossed = (
        measure_answers(model, task, right) for right in (None, RIGHT_OF_ANSWERED)
    )
    assert (
        plain["accuracy"]
        == crossed["accuracy"]
        == pytest.approx(right.mean(), abs=1e-4)
    )
    answered = own.max(axis=1) >= model.threshold
    assert plain["answered"] == pytest.approx(answered.mean(), abs=1e-4)
    assert plain != crossed


def photos(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["label", "split", "series"])


STUDIO = photos(
    ("Apple", "training", "Apple/"),
    ("Apple", "test", "Apple/"),
    ("Apple", "training", "Apple/r"),
    ("Quince", "training", "Quince/"),
    ("Quince", "test", "Quince/r"),
    ("Fig", "training", "Fig/r"),
)
NUMBERS = np.arange(6, dtype=np.float32)[:, np.newaxis]


def rows_of(task: Task) -> tuple[list[float], list[float]]:
    """Return the numbers of the training photos and of the others."""
    return task.train.vectors[:, 0].tolist(), task.test.vectors[:, 0].tolist()


def test_official_split_tests_with_the_test_split() -> None:
    task = protocols.official_split(STUDIO, NUMBERS)
    assert rows_of(task) == ([0, 2, 3, 5], [1, 4])


def test_across_series_uses_labels_with_both_series() -> None:
    task = protocols.across_series(STUDIO, NUMBERS)
    assert rows_of(task) == ([0, 1, 3], [2, 4])


def test_held_out_fruits_uses_held_out_labels() -> None:
    assert rows_of(protocols.held_out_fruits(STUDIO, NUMBERS)) == ([3], [4])


def test_unknown_labels_are_tested_and_not_learned() -> None:
    task = protocols.unknown_labels(STUDIO, NUMBERS, FRUITS)
    assert rows_of(task) == ([0, 2, 5], [1, 4])


def test_held_out_grocery_trains_with_the_first_half() -> None:
    label = HELD_OUT_LABELS[GROCERY][0]
    shop = photos(*[(label, "train", str(i)) for i in range(5)], ("Pear", "val", "5"))
    task = protocols.held_out_grocery(shop, NUMBERS)
    assert rows_of(task) == ([0, 1], [2, 3, 4])


def test_page_has_a_row_per_figure_and_two_columns_per_backbone() -> None:
    few = {"1": 0.5, "5": 0.6, "20": 0.7}
    measured = {
        "1. all": {"features": 0.991, "reduced": 0.99},
        "1. all, classifier": {"reduced": {"accuracy": 0.9, "right": 0.95}},
        "4. few": {"features": few, "reduced": few},
    }
    names = ("trained", "ImageNet", "ImageNet, last layer")
    sizes = [{"alpha": "0.35", "size, px": 96, "held-out series": "70.0"}]
    found = {"made": "now", "protocols": dict.fromkeys(names, measured), "sizes": sizes}
    lines = page.render(found).splitlines()
    assert f"| 1. all |{' 99.1 | 99.0 |' * 3}" in lines
    assert f"| 1. all, classifier: right |{'  | 95.0 |' * 3}" in lines
    assert f"| 4. few, 5 photos |{' 60.0 | 60.0 |' * 3}" in lines
    assert "| 0.35 | 96 | 70.0 |" in lines


def test_published_page_has_the_tables_of_the_published_results() -> None:
    folder = Path(page.__file__).parent / "results"
    rendered = page.render(json.loads((folder / "results.json").read_text()))
    assert tables_of(rendered) == tables_of((folder / "results.md").read_text())


def tables_of(markdown: str) -> list[str]:
    return [line for line in markdown.splitlines() if line.startswith("|")]
