"""Render point clouds on a white background with NumPy.

Each point covers 2 x 2 pixels. Points are drawn from far to near (painter's algorithm) on
an image of `OVERSAMPLING` times the size, which is averaged down (anti-aliasing).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fruits_pipeline.imaging.synthetic.geometry import (
    Floats,
    fibonacci_sphere,
    rotation_matrix,
)
from fruits_pipeline.imaging.synthetic.point_cloud import PointCloud

Indices = NDArray[np.int64]

OVERSAMPLING = 2
MARGIN = 0.04  # width of the white border, as a share of the side of the image
MIN_HALF_WIDTH = 0.64  # half width of the view, as a share of the radius of the cloud
POINTS_PER_PIXEL = 0.9
GAMMA = 2.2  # approximates sRGB
AMBIENT_DIRECTIONS = 16
SHADOW_MAP_SIZE = 110
SHADOW_BIAS = 0.05  # prevents a surface from shadowing itself


@dataclass(frozen=True)
class Light:
    """A distant light and the ambient light.

    Attributes:
        direction: Vector from the fruit to the light.
        intensity: Intensity of the distant light; at 1, a surface that faces the light
            has its own colour.
        ambient: Intensity of the ambient light.
        warmth: Colour of the light: 0 is white, positive is red, negative is blue.
    """

    direction: tuple[float, float, float]
    intensity: float
    ambient: float
    warmth: float


def points_per_area(size: int) -> float:
    """Return the points per square unit that render without holes.

    Args:
        size: Side of the image in pixels; it shows about 2 x 2 units.
    """
    return POINTS_PER_PIXEL * (size * OVERSAMPLING / 2) ** 2


def with_ambient_occlusion(cloud: PointCloud) -> PointCloud:
    """Compute `visibility`: ambient occlusion by the other parts of the cloud.

    The result depends neither on the rotation nor on the light.
    """
    occluders = cloud.points[::3]
    visible = np.zeros(len(cloud.points), np.float32)
    total = np.full(len(cloud.points), 1e-6, np.float32)
    for direction in fibonacci_sphere(AMBIENT_DIRECTIONS):
        weight = np.maximum(cloud.normals @ direction, 0)
        rows = np.flatnonzero(weight)
        points, normals = cloud.points[rows], cloud.normals[rows]
        visible[rows] += weight[rows] * _visibility(
            direction, points, normals, occluders
        )
        total += weight
    return replace(cloud, visibility=visible / total)


def render(
    cloud: PointCloud, rotation: Floats, light: Light, size: int
) -> NDArray[np.uint8]:
    """Render a rotated point cloud in parallel projection.

    The view is centred on the cloud. It has a minimum width, so that a long fruit is
    small if it points to the camera.

    Args:
        cloud: The point cloud.
        rotation: Rotation matrix, (3, 3).
        light: Light, fixed to the camera.
        size: Side of the image in pixels.

    Returns:
        sRGB pixels, (size, size, 3).
    """
    side = size * OVERSAMPLING
    points, normals = cloud.points @ rotation.T, cloud.normals @ rotation.T
    front = np.flatnonzero(normals[:, 2] > 0)
    centre, half_width = _view(points)
    pixels = _project(points[front], centre, half_width, side)
    index = _rasterise(pixels, points[front, 2], side)
    covered = np.flatnonzero(index >= 0)
    rows = front[index[covered]]
    visible = replace(cloud.select(rows), points=points[rows], normals=normals[rows])
    image = np.ones((side * side, 3), np.float32)
    colours = _shade(visible, points[::3], light)
    image[covered] = np.clip(colours, 0, 1) ** (1 / GAMMA)
    blocks = image.reshape(size, OVERSAMPLING, size, OVERSAMPLING, 3)
    return np.asarray(np.rint(blocks.mean((1, 3)) * 255), np.uint8)


def _view(points: Floats) -> tuple[Floats, float]:
    """Return the centre (2,) and the half width of the view of a cloud."""
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    radius = np.sqrt((points * points).sum(1).max())
    half_width = max(float((high - low).max()) / 2, MIN_HALF_WIDTH * float(radius))
    return (low + high) / 2, half_width / (1 - 2 * MARGIN)


def _project(points: Floats, centre: Floats, half_width: float, side: int) -> Indices:
    """Return the pixel of each point: an index into side x side pixels, row by row."""
    scaled = (points[:, :2] - centre) * (side / 2 / half_width) + (side - 1) / 2
    x, y = np.clip(scaled, 0, side - 2).astype(np.int64).T
    return np.asarray((side - 2 - y) * side + x)


def _rasterise(pixels: Indices, depth: Floats, side: int) -> Indices:
    """Return the index of the nearest point for each pixel, (side * side,); -1 if none.

    Args:
        pixels: Top left pixel of each point, which covers 2 x 2 pixels.
        depth: z coordinate of each point; larger is nearer to the camera.
        side: Side of the image in pixels.
    """
    quantised = (depth * (30_000 / np.abs(depth).max())).astype(np.int16)
    order = np.argsort(quantised, kind="stable")  # radix sort for 16-bit integers
    square = np.array([0, 1, side, side + 1])
    index = np.full(side * side, -1)
    index[(pixels[order, None] + square).ravel()] = np.repeat(order, 4)
    return index


def _shade(cloud: PointCloud, occluders: Floats, light: Light) -> Floats:
    """Return linear colours (n, 3): Lambert diffuse, Blinn-Phong specular, ambient."""
    direction = np.asarray(light.direction, np.float32)
    direction /= np.linalg.norm(direction)
    halfway = direction + np.array([0, 0, 1], np.float32)
    halfway /= np.linalg.norm(halfway)
    normals, gloss = cloud.normals, cloud.gloss[:, None]
    lambert = np.maximum(normals @ direction, 0)
    lambert *= _visibility(direction, cloud.points, normals, occluders)
    blinn = np.maximum(normals @ halfway, 0)[:, None]
    specular = gloss * (0.9 * blinn**140 + 0.06 * blinn**14) * (lambert > 0)[:, None]
    fresnel = 0.25 * gloss * (1 - np.clip(normals[:, 2:], 0, 1)) ** 4
    ambient = light.ambient * cloud.visibility[:, None] * (0.8 + 0.2 * normals[:, 1:2])
    tint = np.array([1 + light.warmth, 1, 1 - light.warmth], np.float32)
    direct = light.intensity * tint
    diffuse = cloud.colours**GAMMA * (direct * lambert[:, None] + ambient)
    return np.asarray(diffuse + direct * specular + ambient * fresnel, np.float32)


def _visibility(
    direction: Floats, points: Floats, normals: Floats, occluders: Floats
) -> Floats:
    """Return the share of light from a direction that reaches each point, (n,).

    Uses a shadow map, smoothed over 2 x 2 pixels (percentage-closer filtering).
    """
    rotation, side = _rotation_to_camera(direction), SHADOW_MAP_SIZE
    points = (points + SHADOW_BIAS * normals) @ rotation.T
    occluders = occluders @ rotation.T
    centre, half_width = np.zeros(2, np.float32), float(np.abs(occluders).max()) * 1.02
    pixels = _project(occluders, centre, half_width, side)
    index = _rasterise(pixels, occluders[:, 2], side)
    shadow_map = np.where(index < 0, -np.inf, occluders[index, 2])
    pixels = _project(points, centre, half_width, side)
    lit = np.zeros(len(points), np.float32)
    for step in (0, 1, side, side + 1):
        lit += shadow_map[pixels + step] <= points[:, 2] + SHADOW_BIAS
    return lit / 4


def _rotation_to_camera(direction: Floats) -> Floats:
    """Return the rotation (3, 3) of a direction to the z axis."""
    x, y, z = direction
    azimuth = np.rad2deg(np.arctan2(x, z))
    elevation = np.rad2deg(np.arctan2(y, np.hypot(x, z)))
    rotation = rotation_matrix(0, elevation) @ rotation_matrix(1, -azimuth)
    return np.asarray(rotation, np.float32)
