import numpy as np
import pytest

objective = pytest.importorskip(
    "fruits_pipeline.training.objective", reason="training needs TensorFlow"
)


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_similarity_loss_is_zero_for_rotated_scaled_and_shifted_embeddings() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(6, 3))
    embeddings -= embeddings.mean(axis=0)
    rotation, _ = np.linalg.qr(rng.normal(size=(5, 3)))
    features = 7 * embeddings @ rotation.T + 2
    found = objective.similarity_loss(embeddings, features)
    np.testing.assert_allclose(found, 0, atol=1e-9)


def test_similarity_loss_is_the_sum_of_squared_differences_of_cosines() -> None:
    rng = np.random.default_rng(0)
    embeddings, features = rng.normal(size=(6, 3)), rng.normal(size=(6, 4))
    centred = features - features.mean(axis=0)
    expected = np.zeros(6)
    for i in range(6):
        for j in range(6):
            target = cosine(embeddings[i], embeddings[j])
            expected[i] += (cosine(centred[i], centred[j]) - target) ** 2
    found = objective.similarity_loss(embeddings, features)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
