"""The kinds of fruit of the sample: shape and colour of each."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fruits_pipeline.imaging.synthetic.bunches import (
    banana,
    cherry,
    grape,
    pineapple,
    strawberry,
)
from fruits_pipeline.imaging.synthetic.halves import avocado, kiwi
from fruits_pipeline.imaging.synthetic.parts import (
    bearing_of,
    bump,
    from_top,
    mix,
    ramp,
    stem,
)
from fruits_pipeline.imaging.synthetic.surfaces import (
    Cloud,
    Floats,
    Part,
    directions,
    mould,
    noise,
    revolve,
    spot_distance,
)

Rng = np.random.Generator


def _apple(around: Floats) -> Floats:
    angle = from_top(around)
    radius = np.sin(angle) * (0.94 + 0.12 * around[:, 1])
    height = 0.92 * around[:, 1] - 0.36 * bump(angle, 0, 0.38)
    return revolve(around, radius, height + 0.2 * bump(angle, np.pi, 0.33))


def apple_red(rng: Rng) -> list[Part]:
    """Return a red apple with yellow streaks."""
    field = noise(rng)

    def paint(around: Floats, points: Floats) -> Floats:
        streak = 0.5 * field(around, (9, 0.8, 9)) + 0.5 * field(around, (22, 1.5, 22))
        streak *= ramp(0, 0.7, np.sin(from_top(around)))
        skin = mix("8e0f1a", "c23a2a", ramp(-0.6, 0.7, streak))
        ripe = ramp(0.15, 0.95, field(around, 1.3) + 0.5 * streak)
        skin = mix(skin, "e2b04a", 0.7 * ripe)
        return mix(skin, "a89a4a", 0.8 * ramp(0.4, 0.1, from_top(around)))

    return [Part(_apple, paint, 0.5), stem(0.5, 0.045, 0.12, 0.5)]


def granny_smith(rng: Rng) -> list[Part]:
    """Return a green apple with pale dots."""
    field, dots = noise(rng), directions(160)[rng.permutation(160)[:110]]

    def paint(around: Floats, points: Floats) -> Floats:
        skin = mix("7fa52c", "a9c94b", ramp(-0.7, 0.7, field(around, 1.5)))
        dot = ramp(0.035, 0.015, spot_distance(around, dots))
        skin = mix(skin, "dfe8b0", 0.6 * dot)
        return mix(skin, "8d8a3c", 0.7 * ramp(0.3, 0.1, from_top(around)))

    return [Part(_apple, paint, 0.7), stem(0.45, 0.04, -0.12, 0.5)]


def orange(rng: Rng) -> list[Part]:
    """Return an orange with pores and a small green button."""
    field = noise(rng)

    def pores(around: Floats) -> Floats:
        return ramp(0.1, 0.9, field(around, 25))

    def shape(around: Floats) -> Floats:
        angle = from_top(around)
        swell = 1 - 0.007 * pores(around) + 0.015 * field(around, 2)
        swell -= 0.05 * bump(angle, 0, 0.25) + 0.04 * bump(angle, np.pi, 0.2)
        return around * swell[:, None] * np.array([1, 0.95, 1], np.float32)

    def paint(around: Floats, points: Floats) -> Floats:
        skin = mix("f28c12", "dc6c08", ramp(-0.8, 0.8, field(around, 2)))
        skin = mix(skin, "b85503", 0.4 * pores(around))
        star = from_top(around) + 0.04 * np.sin(5 * bearing_of(around))
        return mix(skin, "5f6b2a", ramp(0.15, 0.1, star))

    return [Part(shape, paint, 0.45)]


def lemon(rng: Rng) -> list[Part]:
    """Return a lemon: pointed at both ends."""
    field = noise(rng)

    def shape(around: Floats) -> Floats:
        angle = from_top(around)
        rough = 1 + 0.01 * field(around, 14) + 0.025 * field(around, 2.5)
        tip = bump(angle, np.pi, 0.2) - 0.75 * bump(angle, 0, 0.2)
        height = 0.96 * around[:, 1] - 0.2 * tip
        return revolve(around, 0.76 * np.sin(angle) * rough, height)

    def paint(around: Floats, points: Floats) -> Floats:
        skin = mix("f6c915", "f4dc3c", ramp(-0.7, 0.7, field(around, 2)))
        skin = mix(skin, "e0ab08", 0.5 * ramp(0, 0.8, field(around, 14)))
        skin = mix(skin, "b9b43a", 0.6 * ramp(0.8, 1.15, np.abs(points[:, 1])))
        return mix(skin, "6d5a20", ramp(0.09, 0.05, from_top(around)))

    return [Part(shape, paint, 0.45)]


def pear(rng: Rng) -> list[Part]:
    """Return a yellow-green pear with a blush and a long stem."""
    field, lean = noise(rng), rng.uniform(0.02, 0.1)

    def shape(around: Floats) -> Floats:
        angle, neck = from_top(around), ramp(-0.35, 0.75, around[:, 1])
        radius = np.sin(angle) * (0.8 - 0.4 * neck) * (1 + 0.04 * field(around, 1.5))
        height = 1.08 * around[:, 1] + 0.1 * bump(angle, np.pi, 0.3)
        points = revolve(around, radius, height - 0.08 * bump(angle, 0, 0.3))
        points[:, 0] += lean * neck
        return points

    def paint(around: Floats, points: Floats) -> Floats:
        skin = mix("a9b23c", "d3c552", ramp(-0.6, 0.6, field(points, 1.6)))
        blush = ramp(0.1, 1, around[:, 0] + 0.5 * field(points, 2))
        skin = mix(skin, "c0632f", 0.6 * blush)
        return mix(skin, "7d6a2c", 0.6 * ramp(0.5, 0.75, field(points, 26)))

    return [Part(shape, paint, 0.3), stem(0.5, 0.05, 0.2, 0.9)]


def watermelon(rng: Rng) -> list[Part]:
    """Return a watermelon with jagged dark stripes from end to end."""
    field = noise(rng)

    def shape(around: Floats) -> Floats:
        return around * np.array([0.86, 1, 0.86], np.float32)

    def paint(around: Floats, points: Floats) -> Floats:
        jag = 0.5 * field(around, 4) + 0.35 * field(around, 11)
        band = np.sin(9 * bearing_of(around) + 1.6 * jag) + 0.5 * field(around, 7)
        skin = mix("9bb860", "c3d08a", ramp(-0.6, 0.6, field(around, 9)))
        skin = mix(skin, "1d4a24", ramp(-0.05, 0.35, band))
        return mix(skin, "8a8a45", 0.8 * ramp(0.95, 0.999, np.abs(around[:, 1])))

    return [Part(shape, paint, 0.5), stem(0.25, 0.05, 0.15, 0.96, "6b6a35")]


KINDS: dict[str, Callable[[Rng], list[Part]]] = {
    "Apple Red": apple_red,
    "Avocado": avocado,
    "Banana": banana,
    "Cherry": cherry,
    "Granny Smith": granny_smith,
    "Grape": grape,
    "Kiwi": kiwi,
    "Lemon": lemon,
    "Orange": orange,
    "Pear": pear,
    "Pineapple": pineapple,
    "Strawberry": strawberry,
    "Watermelon": watermelon,
}


def grow(kind: str, rng: Rng, points_per_area: float) -> Cloud:
    """Return one fruit of a kind: no two have quite the same form and colour."""
    cloud = mould(KINDS[kind](rng), points_per_area)
    stretch = rng.normal(1, 0.02, 3).astype(np.float32)
    tint = rng.normal(1, 0.02, 3).astype(np.float32)
    colours = np.clip(cloud.colours * tint, 0, 1)
    return replace(cloud, points=cloud.points * stretch, colours=colours)
