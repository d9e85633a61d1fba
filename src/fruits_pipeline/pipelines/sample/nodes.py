"""Render sample photos of fruit, named like Fruits-360, and some defective files."""

from __future__ import annotations

from io import BytesIO
from itertools import product
from zlib import crc32

import numpy as np
from PIL import ExifTags, Image

from fruits_pipeline.imaging.synthetic.fruits import FRUITS, create_fruit
from fruits_pipeline.imaging.synthetic.geometry import Floats, rotation_matrix
from fruits_pipeline.imaging.synthetic.point_cloud import PointCloud
from fruits_pipeline.imaging.synthetic.renderer import (
    Light,
    points_per_area,
    render,
    with_ambient_occlusion,
)
from fruits_pipeline.parameters import SampleParameters

SERIES_TILTS = {"": 4.0, "r_": 75.0}
"""Tilt of the fruit on the turntable, in degrees, by prefix of the file names."""

START_ANGLE = 12
"""Angle of the first frame in degrees. From 0, the frame at 90 would show halved fruits
edge-on."""

TEST_INTERVAL = 4
"""Every fourth frame of a series belongs to the test split."""

JPEG_QUALITY = 85
WHITE = 255
ROTATE_CLOCKWISE = 6  # value of the EXIF tag Orientation


def render_sample(parameters: SampleParameters) -> dict[str, bytes]:
    """Render two series per label, and add defective and unusual files.

    The same parameters give the same bytes: all random values depend on the seed and
    the path.

    Returns:
        File content by path. Frames of a series are called
        `<Training or Test>/<label>/<degrees>_<size>.jpg`, with the prefix `r_` in the
        second series.
    """
    files = _unusual_photos(parameters) | _invalid_files()
    for label, series in product(FRUITS, SERIES_TILTS):
        files |= _render_series(label, series, parameters)
    return files


def _render_series(
    label: str, series: str, parameters: SampleParameters
) -> dict[str, bytes]:
    """Return the frames of one fruit on a turntable, by path."""
    fruit, files = _create_fruit(label, series, parameters), {}
    for frame in range(parameters.frames_per_series):
        degrees = round(360 * frame / parameters.frames_per_series)
        is_test = frame % TEST_INTERVAL == TEST_INTERVAL - 1
        folder = f"{'Test' if is_test else 'Training'}/{label}"
        path = f"{folder}/{series}{degrees}_{parameters.size}.jpg"
        files[path] = _encode(_render(fruit, series, degrees, path, parameters))
    return files


def _create_fruit(label: str, series: str, parameters: SampleParameters) -> PointCloud:
    rng = _generator(f"{label}/{series}", parameters)
    fruit = create_fruit(label, rng, points_per_area(parameters.size))
    return with_ambient_occlusion(fruit)


def _generator(path: str, parameters: SampleParameters) -> np.random.Generator:
    return np.random.default_rng(crc32(f"{parameters.seed}/{path}".encode()))


def _render(
    fruit: PointCloud,
    series: str,
    degrees: float,
    path: str,
    parameters: SampleParameters,
) -> Image.Image:
    rng = _generator(path, parameters)
    rotation, light = _rotation(series, degrees, rng), _random_light(rng)
    return Image.fromarray(render(fruit, rotation, light, parameters.size))


def _rotation(series: str, degrees: float, rng: np.random.Generator) -> Floats:
    """Return the rotation by the turntable and a varying elevation of the camera."""
    elevation = 17 + 10 * np.sin(np.deg2rad(2 * degrees)) + rng.uniform(-4, 4)
    tilt = rotation_matrix(2, SERIES_TILTS[series])
    turn = rotation_matrix(1, START_ANGLE + degrees) @ tilt
    return np.asarray(rotation_matrix(0, elevation) @ turn, np.float32)


def _random_light(rng: np.random.Generator) -> Light:
    x, y, z = rng.uniform(-0.9, 0.5), rng.uniform(0.4, 1), rng.uniform(0.6, 1)
    intensity, ambient = rng.uniform(0.85, 1.2), rng.uniform(0.28, 0.45)
    return Light((x, y, z), intensity, ambient, warmth=rng.uniform(-0.04, 0.12))


def _encode(photo: Image.Image, file_format: str = "JPEG", **options: object) -> bytes:
    content = BytesIO()
    photo.save(content, file_format, **({"quality": JPEG_QUALITY} | options))
    return content.getvalue()


def _unusual_photos(parameters: SampleParameters) -> dict[str, bytes]:
    """Return one truncated photo, and photos that are not upright RGB JPEGs."""

    def photo(path: str) -> Image.Image:
        _, label, _ = path.split("/")
        fruit = _create_fruit(label, "", parameters)
        return _render(fruit, "", 0, path, parameters)

    truncated = "Training/Pear/truncated.jpg"
    sideways = "Training/Banana/on_its_side.jpg"
    cmyk = "Training/Orange/cmyk.jpg"
    grey = "Training/Granny Smith/greyscale.jpg"
    transparent = "Training/Strawberry/transparent.png"
    complete = _encode(photo(truncated))
    rotated = photo(sideways).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = ROTATE_CLOCKWISE
    return {
        truncated: complete[: len(complete) * 3 // 5],
        sideways: _encode(rotated, exif=exif),
        cmyk: _encode(photo(cmyk).convert("CMYK")),
        grey: _encode(photo(grey).convert("L")),
        transparent: _encode(_with_transparent_background(photo(transparent)), "PNG"),
    }


def _with_transparent_background(photo: Image.Image) -> Image.Image:
    """Replace white by transparent black, the usual colour of transparent pixels."""
    pixels = np.asarray(photo.convert("RGBA")).copy()
    pixels[(pixels == WHITE).all(2)] = 0
    return Image.fromarray(pixels)


def _invalid_files() -> dict[str, bytes]:
    """Return files that are not photos according to their names or contents."""
    return {
        "Training/Pear/empty.jpg": b"",
        "Training/Lemon/text.jpg": b"The lemons are on the second card.\n",
        "Training/Apple Red/Thumbs.db": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504),
        "Training/.DS_Store": b"\0\0\0\1Bud1" + bytes(504),
    }
