"""Directions, angles and rotations. The y axis points up, the z axis to the camera."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

EPSILON = 1e-12  # avoids division by zero


def fibonacci_sphere(count: int) -> Floats:
    """Return evenly spread points of the unit sphere, float32 (count, 3)."""
    index = np.arange(count) + 0.5
    y = 1 - 2 * index / count
    angle = index * np.pi * (1 + 5**0.5)
    radius = np.sqrt(1 - y**2)
    points = [radius * np.cos(angle), y, radius * np.sin(angle)]
    return np.stack(points, 1).astype(np.float32)


def normalise(vectors: Floats) -> Floats:
    """Scale vectors (n, d) to unit length."""
    length = np.sqrt((vectors * vectors).sum(1, keepdims=True))
    return np.asarray(vectors / np.maximum(length, EPSILON), np.float32)


def rotation_matrix(axis: int, degrees: float) -> Floats:
    """Return the rotation (3, 3) around axis 0 (x), 1 (y) or 2 (z)."""
    angle = np.deg2rad(degrees)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    rotation = np.eye(3, dtype=np.float32)
    rotation[first, first] = rotation[second, second] = np.cos(angle)
    rotation[first, second] = -np.sin(angle)
    rotation[second, first] = np.sin(angle)
    return rotation


def polar_angle(sphere: Floats) -> Floats:
    """Return the angles (n,) between unit vectors (n, 3) and the y axis, in radians."""
    return np.asarray(np.arccos(np.clip(sphere[:, 1], -1, 1)), np.float32)


def azimuth(sphere: Floats) -> Floats:
    """Return the angles (n,) of vectors (n, 3) around the y axis, in radians."""
    return np.asarray(np.arctan2(sphere[:, 2], sphere[:, 0]), np.float32)


def angle_to_nearest(sphere: Floats, targets: Floats) -> Floats:
    """Return the angles (n,) between unit vectors (n, 3) and the nearest target.

    The targets are unit vectors (m, 3); angles are in radians.
    """
    chunks = np.array_split(sphere, len(sphere) // 20_000 + 1)  # bounds memory
    cosine = np.concatenate([(chunk @ targets.T).max(1) for chunk in chunks])
    return np.asarray(np.arccos(np.clip(cosine, -1, 1)), np.float32)
