"""Fruits that consist of one part, and perhaps a stem."""

import numpy as np
from numpy.random import Generator

from fruits_pipeline.imaging.synthetic.geometry import (
    Floats,
    angle_to_nearest,
    azimuth,
    fibonacci_sphere,
    polar_angle,
)
from fruits_pipeline.imaging.synthetic.point_cloud import Part
from fruits_pipeline.imaging.synthetic.shapes import revolve, stem, tube
from fruits_pipeline.imaging.synthetic.textures import (
    gaussian,
    mix,
    smoothstep,
    value_noise,
)


def _apple(sphere: Floats) -> Floats:
    angle = polar_angle(sphere)
    radius = np.sin(angle) * (0.94 + 0.12 * sphere[:, 1])
    height = 0.92 * sphere[:, 1] - 0.36 * gaussian(angle, 0, 0.38)
    return revolve(sphere, radius, height + 0.2 * gaussian(angle, np.pi, 0.33))


def apple_red(rng: Generator) -> list[Part]:
    """Return a red apple with yellow streaks."""
    noise = value_noise(rng)

    def texture(sphere: Floats, points: Floats) -> Floats:
        streak = 0.5 * noise(sphere, (9, 0.8, 9)) + 0.5 * noise(sphere, (22, 1.5, 22))
        streak *= smoothstep(0, 0.7, np.sin(polar_angle(sphere)))
        skin = mix("8e0f1a", "c23a2a", smoothstep(-0.6, 0.7, streak))
        ripe = smoothstep(0.15, 0.95, noise(sphere, 1.3) + 0.5 * streak)
        skin = mix(skin, "e2b04a", 0.7 * ripe)
        return mix(skin, "a89a4a", 0.8 * smoothstep(0.4, 0.1, polar_angle(sphere)))

    return [Part(_apple, texture, 0.5), stem(0.5, 0.045, 0.12, 0.5)]


def _banana_path(s: Floats) -> Floats:
    angle = 1.15 * (2 * s - 1) + 0.25 * smoothstep(0.8, 1.1, s)
    return np.stack([1.05 - 1.25 * np.cos(angle), 1.05 * np.sin(angle)], 1)


def banana(rng: Generator) -> list[Part]:
    """Return a bent banana with a stalk, a dark tip and freckles."""
    noise = value_noise(rng)

    def half_width(s: Floats) -> Floats:
        body = 0.045 + 0.25 * smoothstep(-0.02, 0.3, s) * smoothstep(0.93, 0.62, s)
        return (body + 0.03 * smoothstep(0.93, 1, s)) * np.sqrt(1 - (2 * s - 1) ** 30)

    def texture(sphere: Floats, points: Floats) -> Floats:
        s = (1 + sphere[:, 1]) / 2
        skin = mix("f2cb2e", "f7dc5c", smoothstep(-0.6, 0.6, noise(points, 2)))
        edges = smoothstep(0.85, 1, np.cos(5 * azimuth(sphere)))
        skin = mix(skin, "c79a1e", 0.55 * edges)
        skin = mix(skin, "a9b23a", 0.7 * smoothstep(0.72, 0.95, s))
        freckles = smoothstep(0.5, 0.75, noise(points, 9))
        freckles *= smoothstep(-0.2, 0.6, noise(points, 2.2))
        skin = mix(skin, "6b4418", 0.8 * freckles)
        ends = np.maximum(smoothstep(0.05, 0.02, s), smoothstep(0.975, 0.99, s))
        return mix(skin, "3a2a18", ends)

    return [Part(tube(_banana_path, half_width, half_width), texture, 0.25)]


def granny_smith(rng: Generator) -> list[Part]:
    """Return a green apple with pale dots."""
    noise, dots = value_noise(rng), fibonacci_sphere(160)[rng.permutation(160)[:110]]

    def texture(sphere: Floats, points: Floats) -> Floats:
        skin = mix("7fa52c", "a9c94b", smoothstep(-0.7, 0.7, noise(sphere, 1.5)))
        dot = smoothstep(0.035, 0.015, angle_to_nearest(sphere, dots))
        skin = mix(skin, "dfe8b0", 0.6 * dot)
        return mix(skin, "8d8a3c", 0.7 * smoothstep(0.3, 0.1, polar_angle(sphere)))

    return [Part(_apple, texture, 0.7), stem(0.45, 0.04, -0.12, 0.5)]


def orange(rng: Generator) -> list[Part]:
    """Return an orange with pores and a green stem end."""
    noise = value_noise(rng)

    def pores(sphere: Floats) -> Floats:
        return smoothstep(0.1, 0.9, noise(sphere, 25))

    def shape(sphere: Floats) -> Floats:
        angle = polar_angle(sphere)
        swell = 1 - 0.007 * pores(sphere) + 0.015 * noise(sphere, 2)
        swell -= 0.05 * gaussian(angle, 0, 0.25) + 0.04 * gaussian(angle, np.pi, 0.2)
        return sphere * swell[:, None] * np.array([1, 0.95, 1], np.float32)

    def texture(sphere: Floats, points: Floats) -> Floats:
        skin = mix("f28c12", "dc6c08", smoothstep(-0.8, 0.8, noise(sphere, 2)))
        skin = mix(skin, "b85503", 0.4 * pores(sphere))
        star = polar_angle(sphere) + 0.04 * np.sin(5 * azimuth(sphere))
        return mix(skin, "5f6b2a", smoothstep(0.15, 0.1, star))

    return [Part(shape, texture, 0.45)]


def lemon(rng: Generator) -> list[Part]:
    """Return a lemon with two pointed ends."""
    noise = value_noise(rng)

    def shape(sphere: Floats) -> Floats:
        angle = polar_angle(sphere)
        rough = 1 + 0.01 * noise(sphere, 14) + 0.025 * noise(sphere, 2.5)
        tip = gaussian(angle, np.pi, 0.2) - 0.75 * gaussian(angle, 0, 0.2)
        height = 0.96 * sphere[:, 1] - 0.2 * tip
        return revolve(sphere, 0.76 * np.sin(angle) * rough, height)

    def texture(sphere: Floats, points: Floats) -> Floats:
        skin = mix("f6c915", "f4dc3c", smoothstep(-0.7, 0.7, noise(sphere, 2)))
        skin = mix(skin, "e0ab08", 0.5 * smoothstep(0, 0.8, noise(sphere, 14)))
        skin = mix(skin, "b9b43a", 0.6 * smoothstep(0.8, 1.15, np.abs(points[:, 1])))
        return mix(skin, "6d5a20", smoothstep(0.09, 0.05, polar_angle(sphere)))

    return [Part(shape, texture, 0.45)]


def pear(rng: Generator) -> list[Part]:
    """Return a yellow-green pear with a blush and a long stem."""
    noise, lean = value_noise(rng), rng.uniform(0.02, 0.1)

    def shape(sphere: Floats) -> Floats:
        angle, neck = polar_angle(sphere), smoothstep(-0.35, 0.75, sphere[:, 1])
        radius = np.sin(angle) * (0.8 - 0.4 * neck) * (1 + 0.04 * noise(sphere, 1.5))
        height = 1.08 * sphere[:, 1] + 0.1 * gaussian(angle, np.pi, 0.3)
        points = revolve(sphere, radius, height - 0.08 * gaussian(angle, 0, 0.3))
        points[:, 0] += lean * neck
        return points

    def texture(sphere: Floats, points: Floats) -> Floats:
        skin = mix("a9b23c", "d3c552", smoothstep(-0.6, 0.6, noise(points, 1.6)))
        blush = smoothstep(0.1, 1, sphere[:, 0] + 0.5 * noise(points, 2))
        skin = mix(skin, "c0632f", 0.6 * blush)
        return mix(skin, "7d6a2c", 0.6 * smoothstep(0.5, 0.75, noise(points, 26)))

    return [Part(shape, texture, 0.3), stem(0.5, 0.05, 0.2, 0.9)]


def watermelon(rng: Generator) -> list[Part]:
    """Return a watermelon with jagged dark stripes from end to end."""
    noise = value_noise(rng)

    def shape(sphere: Floats) -> Floats:
        return sphere * np.array([0.86, 1, 0.86], np.float32)

    def texture(sphere: Floats, points: Floats) -> Floats:
        jag = 0.5 * noise(sphere, 4) + 0.35 * noise(sphere, 11)
        band = np.sin(9 * azimuth(sphere) + 1.6 * jag) + 0.5 * noise(sphere, 7)
        skin = mix("9bb860", "c3d08a", smoothstep(-0.6, 0.6, noise(sphere, 9)))
        skin = mix(skin, "1d4a24", smoothstep(-0.05, 0.35, band))
        return mix(skin, "8a8a45", 0.8 * smoothstep(0.95, 0.999, np.abs(sphere[:, 1])))

    return [Part(shape, texture, 0.5), stem(0.25, 0.05, 0.15, 0.96, "6b6a35")]
