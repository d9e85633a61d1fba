import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from fruits_pipeline.models.moments import (
    EMPTY,
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
    "cuts", [[], [30], [1], [59], [1, 2, 3], [7, 7, 20], [0, 60], list(range(1, 60))]
)
def test_merged_parts_have_the_covariance_of_all_vectors(cuts: list[int]) -> None:
    merged = merge_all(moments_of(part) for part in np.split(VECTORS, cuts))
    assert merged.n == 60
    np.testing.assert_allclose(merged.mean, VECTORS.mean(axis=0, dtype=np.float64))
    np.testing.assert_allclose(
        merged.comoment / 59, covariance(VECTORS), rtol=1e-9, atol=1e-9
    )


def test_order_of_parts_does_not_matter() -> None:
    parts = [moments_of(part) for part in np.split(VECTORS, [3, 10, 40])]
    assert_same(merge_all(parts[::-1]), merge_all(parts))


def test_merged_parts_are_freed_before_the_next_part_is_read() -> None:
    read: list[weakref.ref[Moments]] = []

    def parts() -> Iterator[Moments]:
        for vectors in np.split(VECTORS, 6):
            assert [part() for part in read[1:]] == [None] * len(read[1:])
            part = moments_of(vectors)
            read.append(weakref.ref(part))
            yield part
            del part

    assert merge_all(parts()).n == 60


def test_large_mean_does_not_cancel_the_variance() -> None:
    far = VECTORS.astype(np.float64) + 1e8
    merged = merge_all(moments_of(part) for part in np.split(far, 6))
    np.testing.assert_allclose(merged.comoment / 59, covariance(VECTORS), rtol=1e-4)


def test_float32_vectors_are_summed_in_float64() -> None:
    ones = np.full((3000, 2), 16_777_217, np.float64).astype(np.float32)
    moments = moments_of(ones)
    assert (moments.mean.dtype, moments.comoment.dtype) == (np.float64, np.float64)
    assert moments.mean.tolist() == ones[0].tolist()


def test_vectors_are_not_modified() -> None:
    vectors = np.ones((2, 2)) * [[1.0], [2.0]]
    moments_of(vectors)
    assert vectors.tolist() == [[1, 1], [2, 2]]


def test_merge_does_not_modify_its_arguments() -> None:
    a, b = moments_of(VECTORS[:9]), moments_of(VECTORS[9:])
    copies = a.comoment.copy(), b.comoment.copy()
    merge(a, b)
    np.testing.assert_array_equal(a.comoment, copies[0])
    np.testing.assert_array_equal(b.comoment, copies[1])


def test_moments_without_vectors_are_empty() -> None:
    assert moments_of(np.zeros((0, 8))) is EMPTY
    assert merge_all([]) is EMPTY
    assert (EMPTY.n, EMPTY.width) == (0, 0)


def test_merge_with_empty_moments_changes_nothing() -> None:
    moments = moments_of(VECTORS)
    assert merge(moments, EMPTY) is moments
    assert merge(EMPTY, moments) is moments


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_infinite_and_nan_values_are_rejected(value: float) -> None:
    vectors = VECTORS.copy()
    vectors[3, 4] = value
    with pytest.raises(ValueError, match="infinite or NaN features"):
        moments_of(vectors)


def test_vectors_of_different_lengths_are_rejected() -> None:
    with pytest.raises(ValueError, match="vectors of 8 and 5 values"):
        merge(moments_of(VECTORS), moments_of(VECTORS[:, :5]))


@pytest.mark.parametrize("width", [1, 2, 8])
def test_unpack_restores_packed_moments(width: int) -> None:
    moments = moments_of(VECTORS[:, :width])
    packed = pack(moments)
    assert packed.shape == (width * (width + 1) // 2,)
    restored = unpack(moments.n, moments.mean, packed)
    np.testing.assert_array_equal(restored.comoment, moments.comoment)
    np.testing.assert_array_equal(restored.mean, moments.mean)


def test_unpack_restores_empty_moments() -> None:
    restored = unpack(0, EMPTY.mean, pack(EMPTY))
    assert (restored.n, restored.width, restored.comoment.shape) == (0, 0, (0, 0))
