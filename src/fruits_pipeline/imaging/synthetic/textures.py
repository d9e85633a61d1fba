"""Functions for procedural textures: interpolation, colours, noise."""

from collections.abc import Callable, Sequence

import numpy as np

from fruits_pipeline.imaging.synthetic.geometry import Floats
from fruits_pipeline.imaging.synthetic.point_cloud import Texture

Noise = Callable[[Floats, float | Sequence[float]], Floats]
"""Maps points (n, 3) to values (n,) in -1..1.

The second argument is the frequency in lattice points per unit, or a frequency per axis.
"""

LATTICE_STRIDES = np.array([[256], [16], [1]], np.int32)


def smoothstep(low: float, high: float, values: Floats) -> Floats:
    """Interpolate smoothly from 0 at `low` to 1 at `high`; `low` may be larger."""
    x = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def gaussian(values: Floats, centre: float | Floats, width: float) -> Floats:
    """Return a bell curve: 1 at `centre`, 1/e at a distance of `width`."""
    return np.asarray(np.exp(-(((values - centre) / width) ** 2)), np.float32)


def mix(first: Floats | str, second: Floats | str, share: Floats) -> Floats:
    """Interpolate between colours.

    Args:
        first: Colours (n, 3), or one colour as six hexadecimal digits.
        second: As `first`.
        share: Share of `second`, (n,), clipped to 0..1.

    Returns:
        Colours, (n, 3).
    """
    start = _parse_hex(first) if isinstance(first, str) else first
    end = _parse_hex(second) if isinstance(second, str) else second
    return np.asarray(start + (end - start) * np.clip(share, 0, 1)[:, None], np.float32)


def uniform(colour: str) -> Texture:
    """Return the texture of one colour, given as six hexadecimal digits."""
    return lambda _, points: np.tile(_parse_hex(colour), (len(points), 1))


def _parse_hex(digits: str) -> Floats:
    """Convert six hexadecimal digits to sRGB in 0..1."""
    return np.frombuffer(bytes.fromhex(digits), np.uint8).astype(np.float32) / 255


def value_noise(rng: np.random.Generator) -> Noise:
    """Return smooth random noise.

    The noise interpolates random values on a periodic lattice of 16 x 16 x 16 points
    with a smoothstep (value noise).
    """
    lattice = rng.uniform(-1, 1, 16**3).astype(np.float32)

    def noise(points: Floats, frequency: float | Sequence[float]) -> Floats:
        # The offset makes coordinates positive: conversion to integers then rounds down.
        scaled = (points * np.asarray(frequency, np.float32) + np.float32(100)).T
        low = scaled.astype(np.int32)
        t = scaled - low
        t = t * t * (3 - 2 * t)
        knots = [(low & 15) * LATTICE_STRIDES, ((low + 1) & 15) * LATTICE_STRIDES]
        edges = []
        for row in (knots[y][1] + knots[z][2] for z in (0, 1) for y in (0, 1)):
            start = lattice.take(knots[0][0] + row)
            edges.append(start + t[0] * (lattice.take(knots[1][0] + row) - start))
        near = edges[0] + t[1] * (edges[1] - edges[0])
        far = edges[2] + t[1] * (edges[3] - edges[2])
        return np.asarray(near + t[2] * (far - near), np.float32)

    return noise
