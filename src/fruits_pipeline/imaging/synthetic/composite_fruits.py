"""Fruits that consist of several parts."""

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from fruits_pipeline.imaging.synthetic.geometry import (
    Floats,
    angle_to_nearest,
    azimuth,
    fibonacci_sphere,
    polar_angle,
    rotation_matrix,
)
from fruits_pipeline.imaging.synthetic.point_cloud import Part
from fruits_pipeline.imaging.synthetic.shapes import leaf, revolve, stem, tube
from fruits_pipeline.imaging.synthetic.textures import (
    gaussian,
    mix,
    smoothstep,
    uniform,
    value_noise,
)

GRAPE_RINGS = (
    # height, number of grapes, radius
    (0.62, 5, 0.3),
    (0.32, 8, 0.52),
    (0.0, 8, 0.5),
    (-0.3, 6, 0.38),
    (-0.58, 4, 0.24),
    (-0.86, 1, 0.0),
)


def _cherry_stem(x: float, y: float) -> Part:
    """Return the stem of a cherry at (x, y), which ends on the y axis."""

    def path(s: Floats) -> Floats:
        return np.stack([x * (1 - s**1.6), y + 0.28 + (0.72 - y) * s], 1)

    def half_width(s: Floats) -> Floats:
        return 0.028 + 0.035 * smoothstep(0.93, 1, s)

    return Part(tube(path, half_width, half_width), uniform("6f7f34"), 0.2)


def cherry(rng: Generator) -> list[Part]:
    """Return a pair of cherries with joined stems."""
    noise = value_noise(rng)

    def shape(sphere: Floats) -> Floats:
        angle = polar_angle(sphere)
        height = 0.43 * sphere[:, 1] - 0.13 * gaussian(angle, 0, 0.45)
        return revolve(sphere, 0.47 * np.sin(angle), height)

    def texture(sphere: Floats, points: Floats) -> Floats:
        skin = mix("5a0510", "9e0e1c", smoothstep(-0.8, 0.8, noise(sphere, 1.2)))
        return mix(skin, "bb2a26", 0.5 * smoothstep(0.4, 1, noise(sphere, 2.3)))

    parts = []
    for side in (-1, 1):
        x, y = 0.46 * side, -0.45 + 0.1 * side * rng.random()
        rotation = rotation_matrix(1, 70 * side)
        parts += [Part(shape, texture, 1, rotation, (x, y, 0)), _cherry_stem(x, y)]
    return parts


def grape(rng: Generator) -> list[Part]:
    """Return a bunch of blue grapes with bloom on the skin."""
    noise = value_noise(rng)

    def shape(sphere: Floats) -> Floats:
        return sphere * np.float32(0.23)

    def texture(sphere: Floats, points: Floats) -> Floats:
        skin = mix("2a1240", "4a2160", smoothstep(-0.7, 0.7, noise(sphere, 1.5)))
        return mix(skin, "8d86b5", 0.55 * smoothstep(0, 0.9, noise(sphere, 3)))

    parts = [stem(0.5, 0.05, 0.15, 0.62, "6d7a36")]
    for height, count, radius in GRAPE_RINGS:
        for angle in np.arange(count) * 360 / count + rng.uniform(0, 90):
            centre = rotation_matrix(1, angle) @ np.array([radius, height, 0])
            x, y, z = (centre + rng.normal(0, 0.035, 3)).tolist()
            around_x = rotation_matrix(0, rng.uniform(0, 360))
            rotation = around_x @ rotation_matrix(1, rng.uniform(0, 360))
            parts.append(Part(shape, texture, 0.55, rotation, (x, y, z)))
    return parts


def _scales(sphere: Floats) -> Floats:
    """Return the height of a pineapple's skin: 1 on a scale, 0 between scales."""
    along, across = 9 * sphere[:, 1], 4 * azimuth(sphere)
    height = np.cos(across + along) * np.cos(across - along)
    return np.asarray(np.abs(height))


def pineapple(rng: Generator) -> list[Part]:
    """Return a pineapple with scales in two spirals and a tuft of leaves."""
    noise = value_noise(rng)

    def shape(sphere: Floats) -> Floats:
        swell = 1 + 0.13 * _scales(sphere) ** 0.6
        radius = np.sin(polar_angle(sphere)) ** 0.55 * swell
        return revolve(sphere, 0.56 * radius, 0.74 * sphere[:, 1] - 0.3)

    def texture(sphere: Floats, points: Floats) -> Floats:
        height = _scales(sphere)
        skin = mix("5a4a1c", "d59a2c", smoothstep(0.05, 0.5, height))
        skin = mix(skin, "8f8f35", 0.6 * smoothstep(-0.2, 0.9, noise(sphere, 1.8)))
        return mix(skin, "4a2d12", smoothstep(0.88, 0.97, height))

    parts = [Part(shape, texture, 0.25)]
    for index in range(30):
        length, rise = 0.72 - 0.011 * index, 0.3 + 0.11 * (29 - index) ** 0.9
        blade = leaf(length, 0.1, rise, 0.3, ("2f5a2c", "6f9450"))
        rotation = rotation_matrix(1, 137.5 * index)
        parts.append(replace(blade, rotation=rotation, offset=(0, 0.36, 0)))
    return parts


def _crown(rng: Generator) -> list[Part]:
    """Return the stem of a strawberry and the sepals around it."""
    parts = [stem(0.4, 0.04, 0.08, 0.6, "6f8a3a")]
    for angle in np.arange(9) * 40 + rng.uniform(-9, 9, 9):
        length, droop = rng.uniform(0.5, 0.72), rng.uniform(0.3, 0.75)
        sepal = leaf(length, 0.15, 0.42, droop, ("3f7a2a", "6aa23c"))
        rotation = rotation_matrix(1, angle)
        parts.append(replace(sepal, rotation=rotation, offset=(0, 0.69, 0)))
    return parts


def strawberry(rng: Generator) -> list[Part]:
    """Return a red strawberry with yellow seeds in pits and a green crown."""
    noise, seeds = value_noise(rng), fibonacci_sphere(150)

    def shape(sphere: Floats) -> Floats:
        pit = gaussian(angle_to_nearest(sphere, seeds), 0, 0.085)
        angle, up = polar_angle(sphere), sphere[:, 1]
        radius = np.sin(angle) ** 0.9 * (0.64 + 0.24 * smoothstep(-1, 0.7, up))
        radius *= 1 - 0.06 * pit + 0.05 * noise(sphere, 1.7)
        return revolve(sphere, radius, 0.98 * up - 0.3 * gaussian(angle, 0, 0.6))

    def texture(sphere: Floats, points: Floats) -> Floats:
        skin = mix("a80f14", "d3241f", smoothstep(-0.7, 0.7, noise(sphere, 3)))
        skin = mix(skin, "e9b59a", 0.75 * smoothstep(0.75, 1, sphere[:, 1]))
        distance = angle_to_nearest(sphere, seeds)
        skin = mix(skin, "7c0a0c", 0.6 * gaussian(distance, 0.065, 0.03))
        return mix(skin, "e8c455", smoothstep(0.05, 0.025, distance))

    return [Part(shape, texture, 0.75), *_crown(rng)]
