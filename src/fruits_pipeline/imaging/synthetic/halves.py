"""Kinds of fruit of the sample that are cut in half."""

from collections.abc import Callable

import numpy as np

from fruits_pipeline.imaging.synthetic.parts import bump, from_top, mix, ramp
from fruits_pipeline.imaging.synthetic.surfaces import (
    Floats,
    Part,
    halved,
    noise,
    revolve,
)

Rng = np.random.Generator


def avocado(rng: Rng) -> list[Part]:
    """Return half an avocado with its stone."""
    field = noise(rng)

    def whole(around: Floats) -> Floats:
        neck = ramp(-0.4, 0.9, around[:, 1])
        radius = np.sin(from_top(around)) * (0.8 - 0.34 * neck)
        points = revolve(around, radius, 1.05 * around[:, 1])
        return points * (1 + 0.02 * field(around, 15))[:, None]

    def paint(around: Floats, points: Floats) -> Floats:
        skin = mix("141f0d", "3c5420", ramp(-0.6, 0.9, field(points, 12)))
        under_skin = whole(around)[:, 2]
        flesh = mix("a3b83c", "ece58f", ramp(0.05, 0.42, under_skin))
        return mix(skin, flesh, ramp(0.1, 0.14, under_skin))

    def stone(around: Floats) -> Floats:
        return around * np.float32(0.37)

    def stone_paint(_: Floats, points: Floats) -> Floats:
        return mix("4f2a12", "8a5528", ramp(-0.8, 0.8, field(points, (9, 4, 9))))

    half = Part(halved(whole, 0), paint, 0.25)
    return [half, Part(stone, stone_paint, 0.6, offset=(0, -0.32, 0.08))]


def _kiwi_flesh(points: Floats, field: Callable[..., Floats]) -> Floats:
    """Return the colours of the cut: rays, a pale core, two rings of black seeds."""
    bearing = np.arctan2(points[:, 1], points[:, 0])
    radius = np.hypot(points[:, 0] / 0.9, points[:, 1] / 0.86)
    ray = np.sin(34 * bearing + 2 * field(points, 3)) * ramp(0.25, 0.45, radius)
    colour = mix("84b42a", "a6cd4a", 0.5 + 0.5 * ray)
    colour = mix(colour, "5d871d", ramp(0.7, 0.98, radius))
    colour = mix(colour, "eef0c2", ramp(0.36, 0.2, radius + 0.04 * ray))
    spoke = np.sin(15 * bearing)
    seed = ramp(0.7, 0.95, np.abs(spoke))
    seed *= bump(radius, 0.45 + 0.07 * np.sign(spoke), 0.07)
    return mix(colour, "17130c", 1.6 * seed)


def kiwi(rng: Rng) -> list[Part]:
    """Return a kiwi cut across: green flesh, black seeds, brown fuzz."""
    field = noise(rng)

    def whole(around: Floats) -> Floats:
        fuzz = 1 + 0.02 * field(around, 18) + 0.03 * field(around, 2)
        return around * fuzz[:, None] * np.array([0.95, 0.9, 1.15], np.float32)

    def paint(around: Floats, points: Floats) -> Floats:
        fuzz = field(around, (30, 30, 8)) + field(around, 20)
        skin = mix("5e4522", "9c7a48", ramp(-1, 1, fuzz))
        return mix(
            skin, _kiwi_flesh(points, field), ramp(0.37, 0.4, whole(around)[:, 2])
        )

    return [Part(halved(whole, 0.35), paint, 0.15)]
