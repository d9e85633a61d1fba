from typing import Any

import numpy as np
import pandas as pd
import pytest

from fruits_pipeline.models.neighbours import (
    find_nearest,
    find_neighbours,
    neighbour_table,
    photo_groups,
    unit_vectors,
)

RNG = np.random.default_rng(0)


def photos_of(labels: list[Any], series: list[Any] | None = None) -> pd.DataFrame:
    paths = [f"{i}.jpg" for i in range(len(labels))]
    series = series or [None] * len(labels)
    columns = {"path": paths, "label": labels, "split": "Training", "series": series}
    return pd.DataFrame(columns, dtype=object)


def test_vectors_have_length_one_or_zero() -> None:
    vectors = unit_vectors(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0, 0]], rtol=1e-6)


@pytest.mark.parametrize("n", [50, 700])
def test_neighbours_have_the_highest_cosines(n: int) -> None:
    vectors = unit_vectors(RNG.normal(size=(n, 8)))
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    found = find_neighbours(vectors, 6)
    order = np.argsort(-cosines, axis=1)[:, :6]
    np.testing.assert_array_equal(found.positions, order)
    expected = np.take_along_axis(cosines, order, axis=1)
    np.testing.assert_allclose(found.similarities, expected, atol=1e-6)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_photos_have_fewer_neighbours(n: int) -> None:
    found = find_neighbours(unit_vectors(RNG.normal(size=(n, 4))), 6)
    assert found.positions.shape == found.similarities.shape == (n, max(0, n - 1))
    table = neighbour_table(photos_of(["a"] * n), found)
    assert [len(paths) for paths in table["neighbours"]] == [max(0, n - 1)] * n


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("n", [20, 700])
def test_equal_photos_are_neighbours_but_not_of_themselves(
    value: float, n: int
) -> None:
    found = find_neighbours(unit_vectors(np.full((n, 3), value)), 4)
    assert found.positions.shape == (n, 4)
    assert (found.positions != np.arange(n)[:, np.newaxis]).all()
    np.testing.assert_allclose(found.similarities, value, atol=1e-6)


def test_table_names_the_neighbours() -> None:
    vectors = unit_vectors(np.array([[1.0, 0], [1, 0.1], [0, 1]]))
    table = neighbour_table(photos_of(["a", "b", "c"]), find_neighbours(vectors, 6))
    assert table["neighbours"][0] == ["1.jpg", "2.jpg"]
    assert table["similarities"][0].dtype == np.float32


def test_photos_without_series_are_groups_of_their_own() -> None:
    photos = photos_of(
        ["a", "a", "b", "a", None, None], ["s", "s", "s", None, "s", "s"]
    )
    groups = photo_groups(photos, ["label", "series"])
    assert groups[0] == groups[1]
    assert groups[4] == groups[5]
    assert len({*groups}) == 4


def test_nearest_of_other_photos_is_found_in_blocks() -> None:
    rng = np.random.default_rng(3)
    others = unit_vectors(rng.normal(size=(50, 8)))
    vectors = unit_vectors(others[rng.integers(0, 50, 600)] + 1e-4)
    positions, similarities = find_nearest(vectors, others)
    assert [*positions] == [*(vectors @ others.T).argmax(axis=1)]
    assert similarities.min() > 0.999
    assert [len(found) for found in find_nearest(vectors[:0], others)] == [0, 0]
