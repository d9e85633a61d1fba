"""Camera and light: photos of point clouds on white paper.

Plain NumPy. Points are drawn far to near into a picture wider than asked, lit
there, and averaged down, which smooths the edges.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.imaging.synthetic.surfaces import Cloud, Floats, directions

Rows = NDArray[np.int64]

OVERSAMPLING = 2
MARGIN = 0.04  # white on each side, as a share of the picture
CLOSEST = 0.64  # half of what the camera sees at least, as a share of the reach
DENSITY = 0.9  # points per pixel, of which each covers 2 x 2
GAMMA = 2.2  # sRGB, near enough
SKY_DIRECTIONS = 16
SHADOW_SIDE = 110
SHADOW_BIAS = 0.05  # keeps a surface from shading itself between its points


@dataclass(frozen=True)
class Light:
    """A lamp and the room around it.

    Attributes:
        direction: From the fruit to the lamp; x right, y up, z to the camera.
        strength: Brightness of the lamp; 1 shows a colour facing it as it is.
        room: Brightness of what comes from all sides.
        warmth: 0 for white light, 0.1 for a warm bulb, negative for a cool one.
    """

    direction: tuple[float, float, float]
    strength: float
    room: float
    warmth: float


def turned(axis: int, degrees: float) -> Floats:
    """Return the (3, 3) rotation by an angle around axis 0 (x), 1 (y) or 2 (z)."""
    angle = np.deg2rad(degrees)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    rotation = np.eye(3, dtype=np.float32)
    rotation[first, first] = rotation[second, second] = np.cos(angle)
    rotation[first, second] = -np.sin(angle)
    rotation[second, first] = np.sin(angle)
    return rotation


def points_per_area(size: int) -> float:
    """Return how dense a cloud must be to leave no holes in a photo.

    Args:
        size: Of the photo in pixels; a unit of a fruit spans about half of it.

    Returns:
        Points per square unit.
    """
    return DENSITY * (size * OVERSAMPLING / 2) ** 2


def _facing(direction: Floats) -> Floats:
    """Return the (3, 3) rotation that brings a direction to the camera (z)."""
    x, y, z = direction
    bearing = np.rad2deg(np.arctan2(x, z))
    rise = np.rad2deg(np.arctan2(y, np.hypot(x, z)))
    return np.asarray(turned(0, rise) @ turned(1, -bearing), np.float32)


def _cells(placed: Floats, centre: Floats, reach: float, side: int) -> Rows:
    """Return each point's cell in a picture of side x side, row by row."""
    flat = (placed[:, :2] - centre) * (side / 2 / reach) + (side - 1) / 2
    x, y = np.clip(flat, 0, side - 2).astype(np.int64).T
    return np.asarray((side - 2 - y) * side + x)


def _draw(cells: Rows, depth: Floats, side: int) -> Rows:
    """Return, per cell, the row of the nearest point, or -1; each covers 2 x 2."""
    shallow = (depth * (30_000 / np.abs(depth).max())).astype(np.int16)
    order = np.argsort(shallow, kind="stable")  # a radix sort for 16 bits
    square = np.array([0, 1, side, side + 1])
    picture = np.full(side * side, -1)
    picture[(cells[order, None] + square).ravel()] = np.repeat(order, 4)
    return picture


def _seen_from(
    towards: Floats, points: Floats, normals: Floats, hiding: Floats
) -> Floats:
    """Return how much of a far lamp each point sees past the hiding ones, 0..1."""
    frame = _facing(towards)
    placed, hiding = (points + SHADOW_BIAS * normals) @ frame.T, hiding @ frame.T
    reach, centre = float(np.abs(hiding).max()) * 1.02, np.zeros(2, np.float32)
    drawn = _draw(_cells(hiding, centre, reach, SHADOW_SIDE), hiding[:, 2], SHADOW_SIDE)
    depth = np.where(drawn < 0, -np.inf, hiding[drawn, 2])
    cells = _cells(placed, centre, reach, SHADOW_SIDE)
    seen = np.zeros(len(points), np.float32)
    for step in (0, 1, SHADOW_SIDE, SHADOW_SIDE + 1):
        seen += depth[cells + step] <= placed[:, 2] + SHADOW_BIAS
    return seen / 4


def with_open_sky(cloud: Cloud) -> Cloud:
    """Return the cloud with each point's openness to its surroundings.

    The share of directions in which nothing hides the point, weighted by how
    squarely it faces them (ambient occlusion). Depends on the fruit only, not on
    how it is turned or lit: once per fruit.
    """
    hiding = cloud.points[::3]
    seen = np.zeros(len(cloud.points), np.float32)
    total = np.full(len(cloud.points), 1e-6, np.float32)
    for towards in directions(SKY_DIRECTIONS):
        weight = np.maximum(cloud.normals @ towards, 0)
        rows = np.flatnonzero(weight)
        points, normals = cloud.points[rows], cloud.normals[rows]
        seen[rows] += weight[rows] * _seen_from(towards, points, normals, hiding)
        total += weight
    return replace(cloud, open_sky=seen / total)


def _shade(cloud: Cloud, hiding: Floats, light: Light) -> Floats:
    """Return the (n, 3) linear colours of a cloud: matt (Lambert), shine (Blinn)."""
    lamp = np.asarray(light.direction, np.float32)
    lamp /= np.linalg.norm(lamp)
    half = lamp + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    normals, gloss = cloud.normals, cloud.gloss[:, None]
    faced = np.maximum(normals @ lamp, 0)
    faced *= _seen_from(lamp, cloud.points, normals, hiding)
    glance = np.maximum(normals @ half, 0)[:, None]
    shine = gloss * (0.9 * glance**140 + 0.06 * glance**14) * (faced > 0)[:, None]
    rim = 0.25 * gloss * (1 - np.clip(normals[:, 2:], 0, 1)) ** 4
    sky = light.room * cloud.open_sky[:, None] * (0.8 + 0.2 * normals[:, 1:2])
    tint = np.array([1 + light.warmth, 1, 1 - light.warmth], np.float32)
    lit = light.strength * tint
    matt = cloud.colours**GAMMA * (lit * faced[:, None] + sky)
    return np.asarray(matt + lit * shine + sky * rim, np.float32)


def _frame(placed: Floats) -> tuple[Floats, float]:
    """Return the middle of what the camera sees, and half its width."""
    low, high = placed[:, :2].min(0), placed[:, :2].max(0)
    reach = np.sqrt((placed * placed).sum(1).max())
    span = max(float((high - low).max()) / 2, CLOSEST * float(reach))
    return (low + high) / 2, span / (1 - 2 * MARGIN)


def photograph(
    cloud: Cloud, rotation: Floats, light: Light, size: int
) -> NDArray[np.uint8]:
    """Return a photo of a turned fruit on white, as (size, size, 3) sRGB bytes.

    The camera is far away (parallel projection) and frames the fruit, but comes
    no closer than a share of the fruit's reach: a banana seen from its end is small.
    """
    side = size * OVERSAMPLING
    placed, normals = cloud.points @ rotation.T, cloud.normals @ rotation.T
    front = np.flatnonzero(normals[:, 2] > 0)
    cells = _cells(placed[front], *_frame(placed), side)
    drawn = _draw(cells, placed[front, 2], side)
    covered = np.flatnonzero(drawn >= 0)
    rows = front[drawn[covered]]
    seen = replace(cloud.only(rows), points=placed[rows], normals=normals[rows])
    picture = np.ones((side * side, 3), np.float32)
    shades = _shade(seen, placed[::3], light)
    picture[covered] = np.clip(shades, 0, 1) ** (1 / GAMMA)
    blocks = picture.reshape(size, OVERSAMPLING, size, OVERSAMPLING, 3)
    return np.asarray(np.rint(blocks.mean((1, 3)) * 255), np.uint8)
