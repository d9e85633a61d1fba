"""Surfaces as clouds of oriented, coloured points, for rendering fruit.

Every part of a fruit is a unit sphere pressed into another form: a function from
directions (unit vectors, y up) to points. Textures are computed once per fruit,
so that turning it costs a rotation of its points and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Shape = Callable[[Floats], Floats]
Paint = Callable[[Floats, Floats], Floats]

TANGENT_STEP = np.float32(0.006)
STRIDES = np.array([[256], [16], [1]], np.int32)


@dataclass(frozen=True)
class Part:
    """A part of a fruit, and where it sits.

    Attributes:
        shape: From (n, 3) directions to (n, 3) points.
        paint: From directions and those points to (n, 3) sRGB colours in 0..1.
        gloss: 0 for matt, 1 for wet.
        rotation: (3, 3), or None for as it is.
        offset: Added to the turned points.
    """

    shape: Shape
    paint: Paint
    gloss: float
    rotation: Floats | None = None
    offset: tuple[float, float, float] = (0, 0, 0)


@dataclass(frozen=True)
class Cloud:
    """Points of a surface: all arrays have one row per point.

    `points` and `normals` are (n, 3), y up, about one unit from the origin;
    `colours` (n, 3) are sRGB in 0..1; `gloss` (n,) is 0 for matt, 1 for wet;
    `open_sky` (n,) is 1 where no other part of the fruit keeps light away.
    """

    points: Floats
    normals: Floats
    colours: Floats
    gloss: Floats
    open_sky: Floats

    def only(self, rows: NDArray[np.int64]) -> "Cloud":
        """Return the cloud of some of the points."""
        return Cloud(*(getattr(self, field.name)[rows] for field in fields(self)))


def directions(count: int) -> Floats:
    """Return (count, 3) unit vectors, evenly spread (Fibonacci lattice)."""
    index = np.arange(count) + 0.5
    height = 1 - 2 * index / count
    bearing = index * np.pi * (1 + 5**0.5)
    ring = np.sqrt(1 - height**2)
    spread = [ring * np.cos(bearing), height, ring * np.sin(bearing)]
    return np.stack(spread, 1).astype(np.float32)


def _unit(vectors: Floats) -> Floats:
    length = np.sqrt((vectors * vectors).sum(1, keepdims=True))
    return np.asarray(vectors / np.maximum(length, 1e-12), np.float32)


def _area_vectors(shape: Shape, around: Floats, points: Floats) -> Floats:
    """Return the surface's normals, each as long as the sphere is stretched there."""
    zero = np.zeros(len(around), np.float32)
    east = _unit(np.stack([around[:, 2], zero, -around[:, 0]], 1))
    north = np.cross(around, east)
    along = shape(_unit(around + TANGENT_STEP * east)) - points
    up = shape(_unit(around + TANGENT_STEP * north)) - points
    return np.asarray(np.cross(along, up) / TANGENT_STEP**2, np.float32)


def _mould_part(part: Part, points_per_area: float) -> Cloud:
    coarse = directions(600)
    stretch = np.linalg.norm(
        _area_vectors(part.shape, coarse, part.shape(coarse)), axis=1
    )
    around = directions(
        int(4 * np.pi * np.quantile(stretch, 0.8) * points_per_area) + 100
    )
    points = part.shape(around)
    normals = _unit(_area_vectors(part.shape, around, points))
    colours = np.clip(part.paint(around, points), 0, 1).astype(np.float32)
    if part.rotation is not None:
        points, normals = points @ part.rotation.T, normals @ part.rotation.T
    each = np.ones(len(points), np.float32)
    offset = np.array(part.offset, np.float32)
    return Cloud(points + offset, normals, colours, part.gloss * each, each)


def mould(parts: Sequence[Part], points_per_area: float) -> Cloud:
    """Press spheres into parts, paint them, and put them together.

    Args:
        parts: The parts of one fruit.
        points_per_area: Points per square unit. The area of a part is measured
            on a coarse sphere first.

    Returns:
        The cloud of all parts.
    """
    clouds = [_mould_part(part, points_per_area) for part in parts]
    names = [field.name for field in fields(Cloud)]
    together = [[getattr(cloud, name) for cloud in clouds] for name in names]
    return Cloud(*(np.concatenate(arrays) for arrays in together))


def revolve(around: Floats, radius: Floats, height: Floats) -> Floats:
    """Return points at a radius and height, at each direction's own bearing."""
    scale = radius / np.maximum(np.hypot(around[:, 0], around[:, 2]), 1e-9)
    points = np.stack([around[:, 0] * scale, height, around[:, 2] * scale], 1)
    return np.asarray(points, np.float32)


def halved(whole: Shape, depth: float) -> Shape:
    """Return the shape cut at z = depth: what lies in front is pressed nearly flat."""

    def cut(around: Floats) -> Floats:
        points = whole(around).copy()
        points[:, 2] -= 0.9 * np.maximum(points[:, 2] - depth, 0)
        return points

    return cut


def tube(path: Callable[[Floats], Floats], wide: Shape, deep: Shape) -> Shape:
    """Return the shape of a limb along a path in the x-y plane.

    Args:
        path: From (n,) steps in 0..1 to (n, 2) places in the plane.
        wide: From steps to half widths within the plane.
        deep: From steps to half widths across it.

    Returns:
        A shape; its directions' bearing goes around the limb, y along it.
    """

    def limb(around: Floats) -> Floats:
        step = (1 + around[:, 1]) / 2
        ahead, back = np.minimum(step + 0.005, 1), np.maximum(step - 0.005, 0)
        tangent = _unit(path(ahead) - path(back))
        ring = np.maximum(np.hypot(around[:, 0], around[:, 2]), 1e-9)
        aside = wide(step) * around[:, 0] / ring
        x, y = path(step).T
        x, y = x + tangent[:, 1] * aside, y - tangent[:, 0] * aside
        z = deep(step) * around[:, 2] / ring
        return np.asarray(np.stack([x, y, z], 1), np.float32)

    return limb


def noise(rng: np.random.Generator) -> Callable[..., Floats]:
    """Return a smooth random field: from (n, 3) points to (n,) values in -1..1.

    A lattice of 16 x 16 x 16 random values, repeated in space and interpolated
    with a smoothstep between its knots (value noise). Its second argument is the
    number of knots per unit, one for all axes or one for each.
    """
    lattice = rng.uniform(-1, 1, 16**3).astype(np.float32)

    def field(points: Floats, frequency: float | Sequence[float]) -> Floats:
        scaled = (points * np.asarray(frequency, np.float32) + np.float32(100)).T
        low = scaled.astype(np.int32)
        part = scaled - low
        part = part * part * (3 - 2 * part)
        knots = [(low & 15) * STRIDES, ((low + 1) & 15) * STRIDES]
        lines = []
        for row in (knots[y][1] + knots[z][2] for z in (0, 1) for y in (0, 1)):
            start = lattice.take(knots[0][0] + row)
            lines.append(start + part[0] * (lattice.take(knots[1][0] + row) - start))
        near = lines[0] + part[1] * (lines[1] - lines[0])
        far = lines[2] + part[1] * (lines[3] - lines[2])
        return np.asarray(near + part[2] * (far - near), np.float32)

    return field


def spot_distance(around: Floats, spots: Floats) -> Floats:
    """Return the angle from each direction to the nearest spot, in radians."""
    parts = np.array_split(around, len(around) // 20_000 + 1)
    closest = np.concatenate([(part @ spots.T).max(1) for part in parts])
    return np.asarray(np.arccos(np.clip(closest, -1, 1)), np.float32)
