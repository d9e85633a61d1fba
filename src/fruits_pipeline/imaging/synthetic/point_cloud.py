"""Surfaces as clouds of points with normals and colours.

Every part of a fruit is a deformed unit sphere. Its texture is computed once per fruit;
the frames of a series only rotate its points.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.imaging.synthetic.geometry import (
    Floats,
    fibonacci_sphere,
    normalise,
)

Shape = Callable[[Floats], Floats]
"""Maps points of the unit sphere (n, 3) to points of a surface (n, 3)."""

Texture = Callable[[Floats, Floats], Floats]
"""Maps points of the unit sphere and of the surface to sRGB colours (n, 3) in 0..1."""

TANGENT_STEP = np.float32(0.006)  # of finite differences
COARSE_POINTS = 600


@dataclass(frozen=True)
class Part:
    """A part of a fruit.

    Attributes:
        shape: Surface of the part.
        texture: Colours of the surface.
        gloss: 0 for matt, 1 for wet.
        rotation: Rotation (3, 3) of the surface; None for no rotation.
        offset: Translation after the rotation.
    """

    shape: Shape
    texture: Texture
    gloss: float
    rotation: Floats | None = None
    offset: tuple[float, float, float] = (0, 0, 0)


@dataclass(frozen=True)
class PointCloud:
    """Points of a surface.

    Attributes:
        points: Positions, (n, 3), at most about one unit from the origin.
        normals: Outward unit vectors, (n, 3).
        colours: sRGB colours in 0..1, (n, 3).
        gloss: 0 for matt, 1 for wet, (n,).
        visibility: Share of ambient light that reaches the point, (n,); 1 unless
            computed by `renderer.with_ambient_occlusion`.
    """

    points: Floats
    normals: Floats
    colours: Floats
    gloss: Floats
    visibility: Floats

    def select(self, rows: NDArray[np.int64]) -> "PointCloud":
        """Return the points with the given indices."""
        return PointCloud(*(getattr(self, field.name)[rows] for field in fields(self)))


def sample_surface(parts: Sequence[Part], points_per_area: float) -> PointCloud:
    """Return points of all parts of a fruit, `points_per_area` per square unit."""
    clouds = [_sample_part(part, points_per_area) for part in parts]
    names = [field.name for field in fields(PointCloud)]
    columns = [[getattr(cloud, name) for cloud in clouds] for name in names]
    return PointCloud(*(np.concatenate(column) for column in columns))


def _sample_part(part: Part, points_per_area: float) -> PointCloud:
    sphere = fibonacci_sphere(_point_count(part.shape, points_per_area))
    points = part.shape(sphere)
    normals = normalise(_area_vectors(part.shape, sphere, points))
    colours = np.clip(part.texture(sphere, points), 0, 1).astype(np.float32)
    if part.rotation is not None:
        points, normals = points @ part.rotation.T, normals @ part.rotation.T
    ones = np.ones(len(points), np.float32)
    offset = np.array(part.offset, np.float32)
    return PointCloud(points + offset, normals, colours, part.gloss * ones, ones)


def _point_count(shape: Shape, points_per_area: float) -> int:
    """Return the number of points of a part.

    The area is estimated from a high quantile of the local area ratio, so that stretched
    regions have no holes.
    """
    coarse = fibonacci_sphere(COARSE_POINTS)
    ratio = np.linalg.norm(_area_vectors(shape, coarse, shape(coarse)), axis=1)
    return int(4 * np.pi * np.quantile(ratio, 0.8) * points_per_area) + 100


def _area_vectors(shape: Shape, sphere: Floats, points: Floats) -> Floats:
    """Return normals (n, 3) whose length is the local area ratio to the sphere."""
    zero = np.zeros(len(sphere), np.float32)
    east = normalise(np.stack([sphere[:, 2], zero, -sphere[:, 0]], 1))
    north = np.cross(sphere, east)
    east_tangent = shape(normalise(sphere + TANGENT_STEP * east)) - points
    north_tangent = shape(normalise(sphere + TANGENT_STEP * north)) - points
    normals = np.cross(east_tangent, north_tangent) / TANGENT_STEP**2
    return np.asarray(normals, np.float32)
