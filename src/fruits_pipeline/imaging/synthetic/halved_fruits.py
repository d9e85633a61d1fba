"""Fruits that are cut in half."""

import numpy as np
from numpy.random import Generator

from fruits_pipeline.imaging.synthetic.geometry import Floats, polar_angle
from fruits_pipeline.imaging.synthetic.point_cloud import Part
from fruits_pipeline.imaging.synthetic.shapes import cut_in_half, revolve
from fruits_pipeline.imaging.synthetic.textures import (
    Noise,
    gaussian,
    mix,
    smoothstep,
    value_noise,
)


def avocado(rng: Generator) -> list[Part]:
    """Return half an avocado with its stone."""
    noise = value_noise(rng)

    def uncut(sphere: Floats) -> Floats:
        neck = smoothstep(-0.4, 0.9, sphere[:, 1])
        radius = np.sin(polar_angle(sphere)) * (0.8 - 0.34 * neck)
        points = revolve(sphere, radius, 1.05 * sphere[:, 1])
        return points * (1 + 0.02 * noise(sphere, 15))[:, None]

    def texture(sphere: Floats, points: Floats) -> Floats:
        skin = mix("141f0d", "3c5420", smoothstep(-0.6, 0.9, noise(points, 12)))
        z = uncut(sphere)[:, 2]
        flesh = mix("a3b83c", "ece58f", smoothstep(0.05, 0.42, z))
        return mix(skin, flesh, smoothstep(0.1, 0.14, z))

    def stone(sphere: Floats) -> Floats:
        return sphere * np.float32(0.37)

    def stone_texture(_: Floats, points: Floats) -> Floats:
        return mix("4f2a12", "8a5528", smoothstep(-0.8, 0.8, noise(points, (9, 4, 9))))

    half = Part(cut_in_half(uncut, 0), texture, 0.25)
    return [half, Part(stone, stone_texture, 0.6, offset=(0, -0.32, 0.08))]


def _kiwi_flesh(points: Floats, noise: Noise) -> Floats:
    """Return the colours of the cut surface: rays, a pale core and two rings of seeds."""
    angle = np.arctan2(points[:, 1], points[:, 0])
    radius = np.hypot(points[:, 0] / 0.9, points[:, 1] / 0.86)
    ray = np.sin(34 * angle + 2 * noise(points, 3)) * smoothstep(0.25, 0.45, radius)
    colour = mix("84b42a", "a6cd4a", 0.5 + 0.5 * ray)
    colour = mix(colour, "5d871d", smoothstep(0.7, 0.98, radius))
    colour = mix(colour, "eef0c2", smoothstep(0.36, 0.2, radius + 0.04 * ray))
    spoke = np.sin(15 * angle)
    seed = smoothstep(0.7, 0.95, np.abs(spoke))
    seed *= gaussian(radius, 0.45 + 0.07 * np.sign(spoke), 0.07)
    return mix(colour, "17130c", 1.6 * seed)


def kiwi(rng: Generator) -> list[Part]:
    """Return half a kiwi with green flesh, black seeds and fuzzy brown skin."""
    noise = value_noise(rng)

    def uncut(sphere: Floats) -> Floats:
        fuzz = 1 + 0.02 * noise(sphere, 18) + 0.03 * noise(sphere, 2)
        return sphere * fuzz[:, None] * np.array([0.95, 0.9, 1.15], np.float32)

    def texture(sphere: Floats, points: Floats) -> Floats:
        fuzz = noise(sphere, (30, 30, 8)) + noise(sphere, 20)
        skin = mix("5e4522", "9c7a48", smoothstep(-1, 1, fuzz))
        cut = smoothstep(0.37, 0.4, uncut(sphere)[:, 2])
        return mix(skin, _kiwi_flesh(points, noise), cut)

    return [Part(cut_in_half(uncut, 0.35), texture, 0.15)]
