"""Create ICC profiles of RGB and grey spaces, and convert colours without them.

Profiles: ICC.1:2022. Adaptation of white: Bradford.
"""

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float64]
Point = tuple[float, float]

D50, D65 = (0.3457, 0.3585), (0.3127, 0.3290)
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


class Space(NamedTuple):
    """An RGB space: chromaticities of red, green, blue and white, and its curve.

    The curve is that of sRGB, or a power if `gamma` is set.
    """

    primaries: tuple[Point, Point, Point]
    white: Point
    gamma: float | None = None

    def to_linear(self, levels: Colours) -> Colours:
        """Return intensities, from 0 to 1, of levels from 0 to 255."""
        values = levels / 255
        if self.gamma:
            return np.asarray(values**self.gamma)
        return np.where(
            values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92
        )

    def to_xyz(self) -> Colours:
        """Return the matrix from intensities to XYZ relative to D50."""
        primaries = np.array([_xyz(point) for point in self.primaries]).T
        white = _xyz(self.white)
        scaled = primaries * np.linalg.solve(primaries, white)
        cones = (_BRADFORD @ _xyz(D50)) / (_BRADFORD @ white)
        return np.asarray(
            np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD @ scaled
        )


def _xyz(point: Point) -> Colours:
    x, y = point
    return np.array([x / y, 1, (1 - x - y) / y])


SRGB = Space(((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), D65)
SPACES = {
    "sRGB": SRGB,
    "Display P3": Space(((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), D65),
    "Adobe RGB": Space(((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), D65, 563 / 256),
    "ProPhoto": Space(
        ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), D50, 461 / 256
    ),
}


def to_srgb(levels: Any, space: Space) -> Colours:
    """Return the sRGB levels of a colour given in another space."""
    xyz = space.to_xyz() @ space.to_linear(np.asarray(levels, float))
    return encode_srgb(np.linalg.solve(SRGB.to_xyz(), xyz))


def lab_to_srgb(lightness: float, a: float, b: float) -> Colours:
    """Return the sRGB levels of a colour in CIELab relative to D50 (CIE 15)."""
    middle = (lightness + 16) / 116
    roots = np.array([middle + a / 500, middle, middle - b / 200])
    ratios = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29))
    return encode_srgb(np.linalg.solve(SRGB.to_xyz(), ratios * _xyz(D50)))


def encode_srgb(intensities: Any) -> Colours:
    """Return the sRGB levels of intensities."""
    linear = np.clip(intensities, 0, 1)
    curved = 1.055 * linear ** (1 / 2.4) - 0.055
    return np.asarray(255 * np.where(linear > 0.0031308, curved, 12.92 * linear))


def rgb_profile(space: Space) -> bytes:
    """Return the ICC profile of an RGB space."""
    matrix = space.to_xyz()
    curve = _curve(space.gamma)
    tags = {
        b"wtpt": _xyz_tag(_xyz(D50)),
        **{
            name + b"XYZ": _xyz_tag(matrix[:, i])
            for i, name in enumerate((b"r", b"g", b"b"))
        },
        **{name + b"TRC": curve for name in (b"r", b"g", b"b")},
    }
    return profile(b"mntr", b"RGB ", b"XYZ ", tags)


def grey_profile(gamma: float) -> bytes:
    """Return the ICC profile of a grey space."""
    tags = {b"wtpt": _xyz_tag(_xyz(D50)), b"kTRC": _curve(gamma)}
    return profile(b"mntr", b"GRAY", b"XYZ ", tags)


def cmyk_profile(lab_of_ink: Callable[[int], tuple[int, int, int]]) -> bytes:
    """Return a CMYK profile with the colours of the 16 combinations of solid inks.

    Args:
        lab_of_ink: Returns L, a and b of a combination; its bits 3 to 0 are C, M, Y, K.
    """
    corners = np.array([lab_of_ink(i) for i in range(16)], float)
    nodes = np.round(corners * [2.55, 1, 1] + [0, 128, 128]).astype(np.uint8)
    identity = np.arange(256, dtype=np.uint8).tobytes()
    matrix = struct.pack(">9i", *(np.eye(3).ravel() * 65536).astype(int))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix
    table += identity * 4 + nodes.tobytes() + identity * 3
    tags = {b"wtpt": _xyz_tag(_xyz(D50)), b"A2B0": table}
    return profile(b"prtr", b"CMYK", b"Lab ", tags)


def profile(
    device: bytes, colour_space: bytes, connection: bytes, tags: dict[bytes, bytes]
) -> bytes:
    """Return an ICC profile of version 4.2."""
    start = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    header = struct.pack(">I4sI", start + len(data), bytes(4), 0x04200000)
    header += device + colour_space + connection + bytes(12) + b"acsp"
    header = header.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + table + data


def _xyz_tag(xyz: Colours) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *np.round(xyz * 65536).astype(int))


def _curve(gamma: float | None) -> bytes:
    if gamma:
        return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    values = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    numbers = [round(value * 65536) for value in values]
    return b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *numbers)
