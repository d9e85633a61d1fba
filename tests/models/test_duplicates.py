import numpy as np
import pandas as pd
import pytest

from fruits_pipeline.models.duplicates import (
    MIN_COMPONENTS,
    NearDuplicates,
    count_leaks,
    find_near_duplicates,
)
from fruits_pipeline.models.neighbours import unit_vectors

RNG = np.random.default_rng(0)


def photos_of(splits: list[str | None], series: str | None = None) -> pd.DataFrame:
    paths = [f"{i}.jpg" for i in range(len(splits))]
    columns = {"path": paths, "label": "a", "split": splits, "series": series}
    return pd.DataFrame(columns, dtype=object)


def near(n: int, width: int = 8) -> np.ndarray:
    return unit_vectors(1 + RNG.normal(scale=0.01, size=(n, width)))


def find(photos: pd.DataFrame, vectors: np.ndarray, limit: int = 100) -> NearDuplicates:
    training = (photos["split"] == "Training").to_numpy(bool)
    return find_near_duplicates(photos, vectors, (0.97, 0.97), limit, training)


def test_each_pair_above_the_similarity_is_found_once() -> None:
    vectors = unit_vectors(RNG.normal(size=(600, 4)))
    products = np.triu(vectors @ vectors.T, 1)
    found = find(photos_of([None] * 600), vectors, limit=10_000)
    expected = {tuple(pair) for pair in np.argwhere(products >= 0.97).tolist()}
    names = found.pairs[["path", "other_path"]].map(lambda path: int(path[:-4]))
    assert {*names.itertuples(index=False, name=None)} == expected
    assert found.count == len(found.pairs) == len(expected)
    assert found.pairs["similarity"].is_monotonic_decreasing


def test_pairs_across_splits_are_marked_and_counted() -> None:
    photos = photos_of(["Training", "Test", "Test", None])
    found = find(photos, near(4))
    assert (found.count, found.across_splits) == (6, 2)
    across = found.pairs[found.pairs["across_splits"]]
    assert {*across["path"]} | {*across["other_path"]} == {"0.jpg", "1.jpg", "2.jpg"}
    # A photo without a split may also be a test photo.
    assert found.leaks.tolist() == [False, True, True, True]
    assert count_leaks(photos, found.leaks, photos["split"] == "Training") == [
        {"split": "Test", "photos": 2, "with_near_duplicate": 2}
    ]


def test_pairs_of_two_splits_have_a_smallest_similarity_of_their_own() -> None:
    photos = photos_of(["Training", "Training", "Test"])
    angles = np.arccos([1, 0.96, 0.96])
    vectors = np.zeros((3, 4), np.float32)
    vectors[:, 0] = np.cos(angles)
    vectors[[0, 1, 2], [1, 1, 2]] = np.sin(angles)
    training = (photos["split"] == "Training").to_numpy(bool)
    found = find_near_duplicates(photos, vectors, (0.97, 0.95), 100, training)
    assert (found.count, found.across_splits) == (1, 1)
    assert found.leaks.tolist() == [False, False, True]


def test_frames_of_a_series_are_pairs_across_splits_only() -> None:
    found = find(photos_of(["Training", "Training", "Test"], series="r"), near(3))
    assert found.count == found.across_splits == 2


@pytest.mark.parametrize("splits", [["Training"], ["Training", "Test"], [None]])
def test_thousands_of_pairs_are_counted_and_cut(splits: list[str | None]) -> None:
    n = 300
    found = find(photos_of((splits * n)[:n]), unit_vectors(np.ones((n, 5))), limit=50)
    assert found.count == n * (n - 1) // 2
    assert len(found.pairs) == 50 * len(splits)
    assert found.pairs["across_splits"].sum() == 50 * (len(splits) - 1)


@pytest.mark.parametrize(
    "vectors",
    [
        np.empty((0, 0), np.float32),
        near(1),
        near(9, MIN_COMPONENTS - 1),
        np.zeros((9, 8), np.float32),
    ],
    ids=["no photos", "one photo", "few components", "zero vectors"],
)
def test_there_are_no_pairs(vectors: np.ndarray) -> None:
    photos = photos_of([None] * len(vectors))
    found = find(photos, vectors)
    assert (found.count, len(found.pairs)) == (0, 0)
    assert [*found.pairs.columns][:3] == ["path", "other_path", "similarity"]
    assert count_leaks(photos, found.leaks, found.leaks) == []
