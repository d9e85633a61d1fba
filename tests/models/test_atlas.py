import numpy as np
import pandas as pd
import pytest

from fruits_pipeline.models.atlas import arrange, balanced_sample, grid_size
from fruits_pipeline.models.neighbours import unit_vectors

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("photos", "expected"),
    [(0, (0, 0)), (1, (1, 1)), (2, (1, 2)), (3, (1, 3)), (6, (2, 3)), (24, (4, 6))],
)
def test_grid_of_few_photos(photos: int, expected: tuple[int, int]) -> None:
    assert grid_size(photos) == expected


@pytest.mark.parametrize("photos", [97, 300, 1200, 1201, 5000])
def test_grid_is_one_and_a_half_times_as_wide_as_high(photos: int) -> None:
    rows, columns = grid_size(photos)
    assert 0.93 * photos <= rows * columns <= photos
    assert 1.3 <= columns / rows <= 1.7


def test_sample_has_equally_many_photos_of_each_label() -> None:
    labels = pd.Series(["a"] * 50 + ["b"] * 3 + [None] * 20, dtype=object)
    chosen = labels.iloc[balanced_sample(labels, 23)]
    assert chosen.value_counts(dropna=False).to_dict() == {"a": 10, None: 10, "b": 3}


def test_sample_has_at_most_all_photos() -> None:
    assert balanced_sample(pd.Series(["a", "b"]), 9).tolist() == [0, 1]
    assert balanced_sample(pd.Series([], dtype=object), 9).tolist() == []


@pytest.mark.parametrize("n", [0, 1, 2, 3, 6, 24])
@pytest.mark.parametrize("value", [None, 0, 1], ids=["random", "zeros", "equal"])
@pytest.mark.parametrize("width", [1, 9])
def test_every_cell_of_the_grid_has_one_photo(
    n: int, value: float | None, width: int
) -> None:
    random = RNG.normal(size=(n, width))
    vectors = unit_vectors(random if value is None else np.full((n, width), value))
    rows, columns = arrange(vectors)
    height, breadth = grid_size(n)
    cells = {*zip(rows.tolist(), columns.tolist(), strict=True)}
    assert cells == {(r, c) for r in range(height) for c in range(breadth)}


def test_similar_photos_are_adjacent_and_the_grid_is_reproducible() -> None:
    labels = np.repeat(np.arange(6), 25)
    centres = RNG.normal(size=(6, 10))[labels]
    vectors = unit_vectors(centres + RNG.normal(scale=0.2, size=(150, 10)))
    rows, columns = arrange(vectors)
    grid = np.empty((10, 15), int)
    grid[rows, columns] = labels
    equal = np.mean(grid[:, 1:] == grid[:, :-1]), np.mean(grid[1:] == grid[:-1])
    assert min(equal) > 0.6
    np.testing.assert_array_equal(arrange(vectors), (rows, columns))
