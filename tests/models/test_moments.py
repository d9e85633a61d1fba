import numpy as np
import pytest

from fruits_pipeline.models.moments import (
    NOTHING,
    Moments,
    merge,
    merge_all,
    moments_of,
    pack,
    unpack,
)

rng = np.random.default_rng(360)
VECTORS = rng.normal(5, 3, (60, 8)).astype(np.float32)


def assert_same(found: Moments, expected: Moments) -> None:
    assert found.n == expected.n
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12)
    np.testing.assert_allclose(found.comoment, expected.comoment, rtol=1e-9, atol=1e-9)


def covariance(vectors: np.ndarray) -> np.ndarray:
    return np.cov(vectors.astype(np.float64), rowvar=False)


@pytest.mark.parametrize(
    "cuts",
    [[], [30], [1], [59], [1, 2, 3], [7, 7, 20], [0, 60], list(range(1, 60))],
    ids=[
        "one",
        "halves",
        "first",
        "last",
        "ones",
        "empty between",
        "empty ends",
        "all",
    ],
)
def test_parts_of_any_size_merge_to_the_covariance_of_all(cuts: list[int]) -> None:
    merged = merge_all(moments_of(part) for part in np.split(VECTORS, cuts))
    assert merged.n == 60
    np.testing.assert_allclose(merged.mean, VECTORS.mean(axis=0, dtype=np.float64))
    np.testing.assert_allclose(
        merged.comoment / 59, covariance(VECTORS), rtol=1e-9, atol=1e-9
    )


def test_the_order_of_parts_does_not_matter() -> None:
    parts = [moments_of(part) for part in np.split(VECTORS, [3, 10, 40])]
    assert_same(merge_all(parts[::-1]), merge_all(parts))


def test_a_large_mean_does_not_eat_the_variance() -> None:
    far = VECTORS.astype(np.float64) + 1e8
    merged = merge_all(moments_of(part) for part in np.split(far, 6))
    np.testing.assert_allclose(merged.comoment / 59, covariance(VECTORS), rtol=1e-4)


def test_float32_vectors_are_summed_in_float64() -> None:
    ones = np.full((3000, 2), 16_777_217, np.float64).astype(np.float32)
    moments = moments_of(ones)
    assert (moments.mean.dtype, moments.comoment.dtype) == (np.float64, np.float64)
    assert moments.mean.tolist() == ones[0].tolist()


def test_vectors_are_left_as_they_are() -> None:
    vectors = np.ones((2, 2)) * [[1.0], [2.0]]
    moments_of(vectors)
    assert vectors.tolist() == [[1, 1], [2, 2]]


def test_merging_leaves_its_parts_as_they_are() -> None:
    a, b = moments_of(VECTORS[:9]), moments_of(VECTORS[9:])
    copies = a.comoment.copy(), b.comoment.copy()
    merge(a, b)
    np.testing.assert_array_equal(a.comoment, copies[0])
    np.testing.assert_array_equal(b.comoment, copies[1])


def test_no_vectors_have_no_moments() -> None:
    assert moments_of(np.zeros((0, 8))) is NOTHING
    assert merge_all([]) is NOTHING
    assert (NOTHING.n, NOTHING.width) == (0, 0)


def test_merging_with_nothing_changes_nothing() -> None:
    moments = moments_of(VECTORS)
    assert merge(moments, NOTHING) is moments
    assert merge(NOTHING, moments) is moments


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_refused(value: float) -> None:
    vectors = VECTORS.copy()
    vectors[3, 4] = value
    with pytest.raises(ValueError, match="features that are not finite numbers"):
        moments_of(vectors)


def test_vectors_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="vectors of 8 and of 5 values"):
        merge(moments_of(VECTORS), moments_of(VECTORS[:, :5]))


@pytest.mark.parametrize("width", [1, 2, 8])
def test_packing_is_half_the_size_and_loses_nothing(width: int) -> None:
    moments = moments_of(VECTORS[:, :width])
    packed = pack(moments)
    assert packed.shape == (width * (width + 1) // 2,)
    again = unpack(moments.n, moments.mean, packed)
    np.testing.assert_array_equal(again.comoment, moments.comoment)
    np.testing.assert_array_equal(again.mean, moments.mean)


def test_packing_nothing_gives_nothing() -> None:
    again = unpack(0, NOTHING.mean, pack(NOTHING))
    assert (again.n, again.width, again.comoment.shape) == (0, 0, (0, 0))
