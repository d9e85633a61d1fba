from typing import Any

import numpy as np
import pandas as pd
import pytest

from fruits_pipeline.models.neighbours import (
    Neighbours,
    find_neighbours,
    unit_vectors,
)
from fruits_pipeline.models.suspects import find_outliers, find_suspects

RNG = np.random.default_rng(0)


def photos_of(labels: list[Any], series: list[Any] | None = None) -> pd.DataFrame:
    paths = [f"{i}.jpg" for i in range(len(labels))]
    series = series or [None] * len(labels)
    columns = {"path": paths, "label": labels, "split": "Training", "series": series}
    return pd.DataFrame(columns, dtype=object)


def clusters(*sizes: int) -> np.ndarray:
    """Return unit vectors around one direction per cluster."""
    centres = np.repeat(np.eye(len(sizes), 8), sizes, axis=0)
    return unit_vectors(centres + RNG.normal(scale=0.05, size=centres.shape))


def suspects(labels: list[Any], vectors: np.ndarray, **columns: Any) -> pd.DataFrame:
    photos = photos_of(labels, **columns)
    return find_suspects(photos, find_neighbours(vectors, 6))


def test_photo_among_another_label_is_suspect() -> None:
    labels = ["b"] + ["a"] * 9 + ["b"] * 10
    (found,) = suspects(labels, clusters(10, 10)).to_dict("records")
    assert (found["path"], found["label"]) == ("0.jpg", "b")
    assert found["suggested_label"] == "a"
    near = {found[f"neighbour_{j}"] for j in (1, 2, 3)}
    assert len(near) == 3
    assert near <= {f"{i}.jpg" for i in range(1, 10)}
    assert 0.9 < found["similarity"] <= 1


@pytest.mark.parametrize(
    "labels",
    [
        ["a"] * 20,
        [None] * 20,
        ["a"] + [None] * 19,
        ["a"] * 10 + ["b"] * 10,
        ["b"] * 5 + ["a"] * 5 + ["b"] * 10,
    ],
    ids=["one label", "no labels", "one labelled", "no error", "mixed labels"],
)
def test_no_photo_is_suspect(labels: list[Any]) -> None:
    found = suspects(labels, clusters(10, 10))
    assert not len(found)
    assert [*found.columns][:4] == ["path", "label", "suggested_label", "similarity"]


def test_neighbours_without_a_label_are_ignored() -> None:
    labels = ["b"] + ["a", None] * 5 + ["b"] * 9
    assert [*suspects(labels, clusters(11, 9))["path"]] == ["0.jpg"]


def test_neighbours_with_different_labels_are_no_suggestion() -> None:
    labels = ["x"] + ["a", "b", "c"] * 3
    assert not len(suspects(labels, clusters(10)))


def test_neighbours_of_one_series_count_once() -> None:
    photos = photos_of(["x", *"aaaabb"], [None, *"ssss", None, None])
    positions = np.array([[1, 2, 3, 4, 5, 6]] + [[0] * 6] * 6)
    neighbours = Neighbours(positions, np.full((7, 6), 0.9, np.float32))
    assert not (find_suspects(photos, neighbours)["path"] == "0.jpg").any()
    photos["label"] = [*"xaaaaaa"]
    found = find_suspects(photos, neighbours).set_index("path").loc["0.jpg"]
    assert [found[f"neighbour_{j}"] for j in (1, 2, 3)] == ["1.jpg", "5.jpg", "6.jpg"]


def test_outlier_is_far_from_its_label() -> None:
    vectors = clusters(19, 1, 20)
    found = find_outliers(photos_of(["a"] * 20 + ["b"] * 20), vectors, 2.0)
    assert found.to_dict("list") == {
        "path": ["19.jpg"],
        "label": ["a"],
        "distance": [pytest.approx(found["distance"][0])],
    }
    assert found["distance"][0] > 2


@pytest.mark.parametrize(
    ("labels", "vectors"),
    [
        ([], np.empty((0, 0), np.float32)),
        ([None] * 6, clusters(5, 1)),
        (["a"] * 4, clusters(3, 1)),
        (["a"] * 9, unit_vectors(np.ones((9, 3)))),
        (["a"] * 9, unit_vectors(np.zeros((9, 3)))),
    ],
    ids=["no photos", "no label", "few photos", "equal photos", "zero vectors"],
)
def test_there_are_no_outliers(labels: list[Any], vectors: np.ndarray) -> None:
    assert not len(find_outliers(photos_of(labels), vectors, 1.5))
