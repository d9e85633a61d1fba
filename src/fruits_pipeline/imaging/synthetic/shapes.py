"""Shapes and parts that several fruits share."""

from collections.abc import Callable

import numpy as np

from fruits_pipeline.imaging.synthetic.geometry import Floats, normalise
from fruits_pipeline.imaging.synthetic.point_cloud import Part, Shape
from fruits_pipeline.imaging.synthetic.textures import gaussian, mix, uniform

Profile = Callable[[Floats], Floats]
"""Maps steps along a tube, (n,) in 0..1, to half widths (n,)."""


def revolve(sphere: Floats, radius: Floats, height: Floats) -> Floats:
    """Return points (n, 3) of a surface of revolution around the y axis.

    Args:
        sphere: Points of the unit sphere, (n, 3); they determine the azimuth.
        radius: Distances from the axis, (n,).
        height: Positions along the axis, (n,).
    """
    scale = radius / _axis_distance(sphere)
    points = np.stack([sphere[:, 0] * scale, height, sphere[:, 2] * scale], 1)
    return np.asarray(points, np.float32)


def _axis_distance(sphere: Floats) -> Floats:
    """Return the distances (n,) from the y axis, at least 1e-9 to divide by."""
    return np.maximum(np.hypot(sphere[:, 0], sphere[:, 2]), 1e-9)


def cut_in_half(shape: Shape, depth: float) -> Shape:
    """Return a shape whose front, from z = depth, is pressed nearly flat."""

    def cut(sphere: Floats) -> Floats:
        points = shape(sphere).copy()
        points[:, 2] -= 0.9 * np.maximum(points[:, 2] - depth, 0)
        return points

    return cut


def tube(
    path: Callable[[Floats], Floats], half_width: Profile, half_depth: Profile
) -> Shape:
    """Return a tube along a path in the x-y plane, with elliptic cross-sections.

    Args:
        path: Maps steps (n,) in 0..1 to points of the plane (n, 2).
        half_width: Half width within the plane.
        half_depth: Half width along the z axis.

    Returns:
        A shape; the y axis of the sphere runs along the path.
    """

    def shape(sphere: Floats) -> Floats:
        step = (1 + sphere[:, 1]) / 2
        ahead, behind = np.minimum(step + 0.005, 1), np.maximum(step - 0.005, 0)
        tangent = normalise(path(ahead) - path(behind))
        radius = _axis_distance(sphere)
        aside = half_width(step) * sphere[:, 0] / radius
        x, y = path(step).T
        x, y = x + tangent[:, 1] * aside, y - tangent[:, 0] * aside
        z = half_depth(step) * sphere[:, 2] / radius
        return np.asarray(np.stack([x, y, z], 1), np.float32)

    return shape


def stem(
    length: float, radius: float, bend: float, base: float, colour: str = "5a4224"
) -> Part:
    """Return a stem from y = base upwards, bent along the x axis."""

    def path(s: Floats) -> Floats:
        return np.stack([bend * s * s, base + length * s], 1)

    def half_width(s: Floats) -> Floats:
        return radius * (0.8 + 0.5 * s**6) * np.sqrt(1 - (2 * s - 1) ** 20)

    return Part(tube(path, half_width, half_width), uniform(colour), 0.1)


def leaf(
    length: float, width: float, rise: float, droop: float, colours: tuple[str, str]
) -> Part:
    """Return a leaf from the origin along the x axis, first rising, then drooping."""

    def path(s: Floats) -> Floats:
        return np.stack([length * s, length * (rise * s - droop * s * s)], 1)

    def half_thickness(s: Floats) -> Floats:
        return 0.012 * np.sqrt(1 - (2 * s - 1) ** 8)

    def half_breadth(s: Floats) -> Floats:
        return width * np.sqrt(s) * (1 - s) * 2.2

    def texture(_: Floats, points: Floats) -> Floats:
        blade = mix(*colours, points[:, 0] / length)
        return mix(blade, "b9c98a", 0.35 * gaussian(points[:, 2], 0, width * 0.12))

    return Part(tube(path, half_thickness, half_breadth), texture, 0.15)
