"""Find the vectors that are most similar to a vector."""

from __future__ import annotations

import numpy as np


def cosine_similarities(vector: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return the cosine similarity of a vector with each of several vectors.

    Args:
        vector: The vector, `[d]`.
        vectors: The other vectors, `[n, d]`. One without length is similar to none.

    Returns:
        Similarities from -1 to 1, `float32 [n]`.
    """
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    products = vectors @ vector
    similarities = np.divide(
        products, lengths, out=np.zeros_like(products), where=lengths > 0
    )
    return np.asarray(np.clip(similarities, -1, 1), np.float32)


def most_similar(
    similarities: np.ndarray, is_same: np.ndarray, count: int
) -> np.ndarray:
    """Return the positions of the highest similarities, descending.

    Args:
        similarities: Similarities with a photo, `[n]`.
        is_same: Whether each vector is that of the same photo, which comes first, `[n]`.
        count: Maximum number of positions.
    """
    order = np.lexsort((-similarities, ~is_same))
    return np.asarray(order[:count])
