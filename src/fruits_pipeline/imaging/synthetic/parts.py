"""What the kinds of fruit share: colours, ramps, stems and leaves."""

import numpy as np

from fruits_pipeline.imaging.synthetic.surfaces import Floats, Paint, Part, tube


def colour(code: str) -> Floats:
    """Return sRGB in 0..1 from six hexadecimal digits."""
    return np.frombuffer(bytes.fromhex(code), np.uint8).astype(np.float32) / 255


def mix(first: Floats | str, second: Floats | str, share: Floats) -> Floats:
    """Return (n, 3) colours between two, `share` (n,) of the second."""
    start = colour(first) if isinstance(first, str) else first
    end = colour(second) if isinstance(second, str) else second
    return np.asarray(start + (end - start) * np.clip(share, 0, 1)[:, None], np.float32)


def ramp(low: float, high: float, values: Floats) -> Floats:
    """Return 0 up to low, 1 from high on, and a smoothstep between."""
    part = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(part * part * (3 - 2 * part), np.float32)


def bump(values: Floats, centre: float | Floats, width: float) -> Floats:
    """Return 1 at the centre, falling to 1/e at the width (Gaussian)."""
    return np.asarray(np.exp(-(((values - centre) / width) ** 2)), np.float32)


def from_top(around: Floats) -> Floats:
    """Return the angle between each direction and straight up, in radians."""
    return np.asarray(np.arccos(np.clip(around[:, 1], -1, 1)), np.float32)


def bearing_of(around: Floats) -> Floats:
    """Return the angle of each direction around the y axis, in radians."""
    return np.asarray(np.arctan2(around[:, 2], around[:, 0]), np.float32)


def plain(code: str) -> Paint:
    """Return the paint of one colour."""
    return lambda _, points: np.tile(colour(code), (len(points), 1))


def stem(
    length: float, radius: float, bend: float, base: float, code: str = "5a4224"
) -> Part:
    """Return a stem that stands on the y axis at `base` and bends along x."""

    def path(s: Floats) -> Floats:
        return np.stack([bend * s * s, base + length * s], 1)

    def thick(s: Floats) -> Floats:
        return radius * (0.8 + 0.5 * s**6) * np.sqrt(1 - (2 * s - 1) ** 20)

    return Part(tube(path, thick, thick), plain(code), 0.1)


def leaf(
    length: float, width: float, rise: float, droop: float, colours: tuple[str, str]
) -> Part:
    """Return a leaf from the origin along x, first rising, then drooping."""

    def path(s: Floats) -> Floats:
        return np.stack([length * s, length * (rise * s - droop * s * s)], 1)

    def thin(s: Floats) -> Floats:
        return 0.012 * np.sqrt(1 - (2 * s - 1) ** 8)

    def broad(s: Floats) -> Floats:
        return width * np.sqrt(s) * (1 - s) * 2.2

    def paint(around: Floats, points: Floats) -> Floats:
        blade = mix(*colours, points[:, 0] / length)
        return mix(blade, "b9c98a", 0.35 * bump(points[:, 2], 0, width * 0.12))

    return Part(tube(path, thin, broad), paint, 0.15)
