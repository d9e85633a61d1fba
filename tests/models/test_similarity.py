import numpy as np
import pytest

from fruits_pipeline.models.similarity import cosine_similarities, most_similar


def test_similarity_is_the_cosine() -> None:
    vectors = np.array([[2, 0], [0, 1], [-1, 0], [1, 1], [0, 0]], np.float32)
    found = cosine_similarities(np.array([3, 0], np.float32), vectors)
    assert found == pytest.approx([1, 0, -1, 0.5**0.5, 0])


def test_vector_without_length_is_similar_to_none() -> None:
    found = cosine_similarities(np.zeros(2, np.float32), np.eye(2, dtype=np.float32))
    assert [*found] == [0, 0]


def test_same_photo_comes_before_more_similar_ones() -> None:
    similarities = np.array([0.5, 0.9, 1, 0.2], np.float32)
    is_same = np.array([False, False, False, True])
    assert [*most_similar(similarities, is_same, 3)] == [3, 2, 1]
