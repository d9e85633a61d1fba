"""Kinds of fruit of the sample that are put together from several parts."""

from dataclasses import replace

import numpy as np

from fruits_pipeline.imaging.synthetic.camera import turned
from fruits_pipeline.imaging.synthetic.parts import (
    bearing_of,
    bump,
    from_top,
    leaf,
    mix,
    plain,
    ramp,
    stem,
)
from fruits_pipeline.imaging.synthetic.surfaces import (
    Floats,
    Part,
    directions,
    noise,
    revolve,
    spot_distance,
    tube,
)

Rng = np.random.Generator

GRAPE_RINGS = (
    # height of the ring, grapes in it, its radius
    (0.62, 5, 0.3),
    (0.32, 8, 0.52),
    (0.0, 8, 0.5),
    (-0.3, 6, 0.38),
    (-0.58, 4, 0.24),
    (-0.86, 1, 0.0),
)


def _banana_path(s: Floats) -> Floats:
    angle = 1.15 * (2 * s - 1) + 0.25 * ramp(0.8, 1.1, s)
    return np.stack([1.05 - 1.25 * np.cos(angle), 1.05 * np.sin(angle)], 1)


def banana(rng: Rng) -> list[Part]:
    """Return one bent banana with a stalk, a dark tip and freckles."""
    field = noise(rng)

    def thick(s: Floats) -> Floats:
        body = 0.045 + 0.25 * ramp(-0.02, 0.3, s) * ramp(0.93, 0.62, s)
        return (body + 0.03 * ramp(0.93, 1, s)) * np.sqrt(1 - (2 * s - 1) ** 30)

    def paint(around: Floats, points: Floats) -> Floats:
        s = (1 + around[:, 1]) / 2
        skin = mix("f2cb2e", "f7dc5c", ramp(-0.6, 0.6, field(points, 2)))
        edges = ramp(0.85, 1, np.cos(5 * bearing_of(around)))
        skin = mix(skin, "c79a1e", 0.55 * edges)
        skin = mix(skin, "a9b23a", 0.7 * ramp(0.72, 0.95, s))
        freckles = ramp(0.5, 0.75, field(points, 9))
        freckles *= ramp(-0.2, 0.6, field(points, 2.2))
        skin = mix(skin, "6b4418", 0.8 * freckles)
        ends = np.maximum(ramp(0.05, 0.02, s), ramp(0.975, 0.99, s))
        return mix(skin, "3a2a18", ends)

    return [Part(tube(_banana_path, thick, thick), paint, 0.25)]


def _cherry_stem(x: float, y: float) -> Part:
    """Return the stem from a cherry at (x, y) to where the pair's stems meet."""

    def path(s: Floats) -> Floats:
        return np.stack([x * (1 - s**1.6), y + 0.28 + (0.72 - y) * s], 1)

    def thick(s: Floats) -> Floats:
        return 0.028 + 0.035 * ramp(0.93, 1, s)

    return Part(tube(path, thick, thick), plain("6f7f34"), 0.2)


def cherry(rng: Rng) -> list[Part]:
    """Return a pair of cherries whose stems meet."""
    field = noise(rng)

    def shape(around: Floats) -> Floats:
        angle = from_top(around)
        height = 0.43 * around[:, 1] - 0.13 * bump(angle, 0, 0.45)
        return revolve(around, 0.47 * np.sin(angle), height)

    def paint(around: Floats, points: Floats) -> Floats:
        skin = mix("5a0510", "9e0e1c", ramp(-0.8, 0.8, field(around, 1.2)))
        return mix(skin, "bb2a26", 0.5 * ramp(0.4, 1, field(around, 2.3)))

    parts = []
    for side in (-1, 1):
        x, y = 0.46 * side, -0.45 + 0.1 * side * rng.random()
        turn = turned(1, 70 * side)
        parts += [Part(shape, paint, 1, turn, (x, y, 0)), _cherry_stem(x, y)]
    return parts


def grape(rng: Rng) -> list[Part]:
    """Return a bunch of blue grapes with bloom on their skin."""
    field = noise(rng)

    def shape(around: Floats) -> Floats:
        return around * np.float32(0.23)

    def paint(around: Floats, points: Floats) -> Floats:
        skin = mix("2a1240", "4a2160", ramp(-0.7, 0.7, field(around, 1.5)))
        return mix(skin, "8d86b5", 0.55 * ramp(0, 0.9, field(around, 3)))

    parts = [stem(0.5, 0.05, 0.15, 0.62, "6d7a36")]
    for height, count, radius in GRAPE_RINGS:
        for bearing in np.arange(count) * 360 / count + rng.uniform(0, 90):
            place = turned(1, bearing) @ np.array([radius, height, 0])
            x, y, z = (place + rng.normal(0, 0.035, 3)).tolist()
            turn = turned(0, rng.uniform(0, 360)) @ turned(1, rng.uniform(0, 360))
            parts.append(Part(shape, paint, 0.55, turn, (x, y, z)))
    return parts


def _scales(around: Floats) -> Floats:
    """Return how high a pineapple's skin is: 1 on a scale, 0 between scales."""
    along, bearing = 9 * around[:, 1], 4 * bearing_of(around)
    high = np.cos(bearing + along) * np.cos(bearing - along)
    return np.asarray(np.abs(high))


def pineapple(rng: Rng) -> list[Part]:
    """Return a pineapple: scales in two spirals under a tuft of leaves."""
    field = noise(rng)

    def shape(around: Floats) -> Floats:
        radius = np.sin(from_top(around)) ** 0.55 * (1 + 0.13 * _scales(around) ** 0.6)
        return revolve(around, 0.56 * radius, 0.74 * around[:, 1] - 0.3)

    def paint(around: Floats, points: Floats) -> Floats:
        high = _scales(around)
        skin = mix("5a4a1c", "d59a2c", ramp(0.05, 0.5, high))
        skin = mix(skin, "8f8f35", 0.6 * ramp(-0.2, 0.9, field(around, 1.8)))
        return mix(skin, "4a2d12", ramp(0.88, 0.97, high))

    parts = [Part(shape, paint, 0.25)]
    for index in range(30):
        length, rise = 0.72 - 0.011 * index, 0.3 + 0.11 * (29 - index) ** 0.9
        blade = leaf(length, 0.1, rise, 0.3, ("2f5a2c", "6f9450"))
        turn = turned(1, 137.5 * index)
        parts.append(replace(blade, rotation=turn, offset=(0, 0.36, 0)))
    return parts


def _crown(rng: Rng) -> list[Part]:
    """Return a strawberry's stem and the leaves around it."""
    parts = [stem(0.4, 0.04, 0.08, 0.6, "6f8a3a")]
    for bearing in np.arange(9) * 40 + rng.uniform(-9, 9, 9):
        length, droop = rng.uniform(0.5, 0.72), rng.uniform(0.3, 0.75)
        sepal = leaf(length, 0.15, 0.42, droop, ("3f7a2a", "6aa23c"))
        turn = turned(1, bearing)
        parts.append(replace(sepal, rotation=turn, offset=(0, 0.69, 0)))
    return parts


def strawberry(rng: Rng) -> list[Part]:
    """Return a strawberry: a cone with yellow seeds in pits, a green crown."""
    field, seeds = noise(rng), directions(150)

    def shape(around: Floats) -> Floats:
        pit = bump(spot_distance(around, seeds), 0, 0.085)
        angle, up = from_top(around), around[:, 1]
        radius = np.sin(angle) ** 0.9 * (0.64 + 0.24 * ramp(-1, 0.7, up))
        radius *= 1 - 0.06 * pit + 0.05 * field(around, 1.7)
        return revolve(around, radius, 0.98 * up - 0.3 * bump(angle, 0, 0.6))

    def paint(around: Floats, points: Floats) -> Floats:
        skin = mix("a80f14", "d3241f", ramp(-0.7, 0.7, field(around, 3)))
        skin = mix(skin, "e9b59a", 0.75 * ramp(0.75, 1, around[:, 1]))
        distance = spot_distance(around, seeds)
        skin = mix(skin, "7c0a0c", 0.6 * bump(distance, 0.065, 0.03))
        return mix(skin, "e8c455", ramp(0.05, 0.025, distance))

    return [Part(shape, paint, 0.75), *_crown(rng)]
