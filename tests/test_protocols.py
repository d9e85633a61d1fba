"""The protocols' own arithmetic, on vectors whose answers are known."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from fruits_pipeline.models.classifiers import Labelled
from protocols.measures import (
    Learned,
    by_few,
    by_neighbour,
    by_regression,
)
from protocols.page import page
from protocols.photos import FRUITS, GROCERY, LEFT_OUT, Photos
from protocols.protocols import (
    films_apart,
    official_split,
    strangers,
    unseen_fruits,
    unseen_grocery,
)


def labelled(count: int, noise: float, seed: int) -> Labelled:
    """Return photos of three labels, about three corners."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(count) % 3
    vectors = np.eye(3, 8)[numbers] + rng.normal(0, noise, (count, 8))
    names = np.array(["Apple", "Pear", "Plum"])[numbers]
    return Labelled(vectors.astype(np.float32), names, np.arange(count).astype(str))


NEAR = Learned(labelled(60, 0.05, seed=1), labelled(30, 0.05, seed=2))
NOISE = Learned(labelled(60, 50, seed=1), labelled(300, 50, seed=2))


@pytest.mark.parametrize("of", [by_regression, by_neighbour])
def test_labels_that_lie_apart_are_told_apart(of: Any) -> None:
    assert of(NEAR) == of(NEAR.reduced()) == 1
    assert of(NOISE) == pytest.approx(1 / 3, abs=0.1)


def test_the_mean_of_a_few_tells_apart_what_lies_apart() -> None:
    assert by_few(NEAR) == {1: 1, 5: 1, 20: 1}
    assert all(abs(share - 1 / 3) < 0.1 for share in by_few(NOISE).values())


def test_labels_that_are_not_known_are_not_asked() -> None:
    known = NEAR.known.where(NEAR.known.labels != "Plum")
    assert by_regression(Learned(known, NEAR.asked)) == 1
    assert by_neighbour(Learned(known, NEAR.asked)) == pytest.approx(2 / 3)


def photos(*rows: tuple[str, str, str]) -> Photos:
    """Return photos of label, split and film."""
    labels, splits, films = (np.array(column) for column in zip(*rows, strict=True))
    return Photos([b""] * len(rows), labels, splits, films)


STUDIO = photos(
    ("Apple", "training", "Apple/"),
    ("Apple", "test", "Apple/"),
    ("Apple", "training", "Apple/r"),
    ("Quince", "training", "Quince/"),
    ("Quince", "test", "Quince/r"),
    ("Fig", "training", "Fig/r"),
)
NUMBERS = np.arange(6, dtype=np.float32)[:, np.newaxis]


def numbers(learned: Learned) -> tuple[list[float], list[float]]:
    """Return which photos are known, and which are asked."""
    known, asked = (
        part.vectors[:, 0].tolist() for part in (learned.known, learned.asked)
    )
    return known, asked


def test_the_official_split_asks_about_test() -> None:
    assert numbers(official_split(STUDIO, NUMBERS)) == ([0, 2, 3, 5], [1, 4])


def test_films_apart_asks_about_the_other_film_of_what_has_two() -> None:
    assert numbers(films_apart(STUDIO, NUMBERS)) == ([0, 1, 3], [2, 4])


def test_unseen_fruit_is_of_the_kinds_left_out() -> None:
    assert numbers(unseen_fruits(STUDIO, NUMBERS)) == ([3], [4])


def test_strangers_are_asked_about_and_not_learned() -> None:
    assert numbers(strangers(STUDIO, NUMBERS, FRUITS)) == ([0, 2, 5], [1, 4])


def test_unseen_grocery_is_learned_from_the_first_half() -> None:
    label = LEFT_OUT[GROCERY][0]
    shop = photos(*[(label, "train", str(i)) for i in range(5)], ("Pear", "val", "5"))
    assert numbers(unseen_grocery(shop, NUMBERS)) == ([0, 1], [2, 3, 4])


def test_the_page_has_a_row_a_figure_and_two_columns_a_backbone() -> None:
    few = {"1": 0.5, "5": 0.6, "20": 0.7}
    measured = {
        "1. all": {"features": 0.991, "reduced": 0.99},
        "1. all, by the chain": {"reduced": {"accuracy": 0.9, "right": 0.95}},
        "4. few": {"features": few, "reduced": few},
    }
    names = ("trained", "ImageNet", "ImageNet, last layer")
    sizes = [{"alpha": "0.35", "size, px": 96, "films apart": "70.0"}]
    found = {"made": "now", "protocols": dict.fromkeys(names, measured), "sizes": sizes}
    lines = page(json.loads(json.dumps(found))).splitlines()
    assert f"| 1. all |{' 99.1 | 99.0 |' * 3}" in lines
    assert f"| 1. all, by the chain: right |{'  | 95.0 |' * 3}" in lines
    assert f"| 4. few, 5 photos |{' 60.0 | 60.0 |' * 3}" in lines
    assert "| 0.35 | 96 | 70.0 |" in lines
