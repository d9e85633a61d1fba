"""Sample: rendered fruit photos, laid out like Fruits-360, and some odd files."""

from __future__ import annotations

from io import BytesIO
from itertools import product
from zlib import crc32

import numpy as np
from PIL import ExifTags, Image

from fruits_pipeline.imaging.synthetic.camera import (
    Light,
    photograph,
    points_per_area,
    turned,
    with_open_sky,
)
from fruits_pipeline.imaging.synthetic.fruit import KINDS, grow
from fruits_pipeline.imaging.synthetic.surfaces import Cloud, Floats
from fruits_pipeline.parameters import SampleParameters

LEANS = {"": 4.0, "r_": 75.0}
"""Degrees by which the fruit of a series leans: `r_` turns around another axis."""

START = 12  # degrees; from 0, a halved fruit would show its cut edge-on at 90
TEST_EVERY = 4
JPEG_QUALITY = 85
WHITE = 255
TURN_RIGHT_TO_SEE_UPRIGHT = 6  # of the EXIF tag Orientation


def render_sample(parameters: SampleParameters) -> dict[str, bytes]:
    """Render every kind of fruit on a turntable, and add files that are not right.

    The same parameters give the same bytes: all that varies (form, colour, tilt,
    lamp) is drawn from the seed and the path.

    Args:
        parameters: Of the stage.

    Returns:
        Path to file content: `<Training or Test>/<kind>/<degrees>_<size>.jpg`, with
        `r_` before the name for the second fruit of a kind; and the odd files.
    """
    files = _odd_photos(parameters) | _no_photos()
    for kind, series in product(KINDS, LEANS):
        files |= _film(kind, series, parameters)
    return files


def _film(kind: str, series: str, parameters: SampleParameters) -> dict[str, bytes]:
    """Return the frames of one fruit on its turntable, by path."""
    fruit, files = _grow(kind, series, parameters), {}
    for frame in range(parameters.frames_per_series):
        degrees = round(360 * frame / parameters.frames_per_series)
        is_test = frame % TEST_EVERY == TEST_EVERY - 1
        folder = f"{'Test' if is_test else 'Training'}/{kind}"
        path = f"{folder}/{series}{degrees}_{parameters.size}.jpg"
        files[path] = _encode(_shoot(fruit, series, degrees, path, parameters))
    return files


def _random(path: str, parameters: SampleParameters) -> np.random.Generator:
    return np.random.default_rng(crc32(f"{parameters.seed}/{path}".encode()))


def _grow(kind: str, series: str, parameters: SampleParameters) -> Cloud:
    rng = _random(f"{kind}/{series}", parameters)
    return with_open_sky(grow(kind, rng, points_per_area(parameters.size)))


def _pose(series: str, degrees: float, rng: np.random.Generator) -> Floats:
    """Return the rotation of a frame: the turntable's, seen from a changing height."""
    tilt = 17 + 10 * np.sin(np.deg2rad(2 * degrees)) + rng.uniform(-4, 4)
    spin = turned(1, START + degrees) @ turned(2, LEANS[series])
    return np.asarray(turned(0, tilt) @ spin, np.float32)


def _light(rng: np.random.Generator) -> Light:
    aside, up, near = rng.uniform(-0.9, 0.5), rng.uniform(0.4, 1), rng.uniform(0.6, 1)
    strength, room = rng.uniform(0.85, 1.2), rng.uniform(0.28, 0.45)
    return Light((aside, up, near), strength, room, rng.uniform(-0.04, 0.12))


def _shoot(
    fruit: Cloud, series: str, degrees: float, path: str, parameters: SampleParameters
) -> Image.Image:
    rng = _random(path, parameters)
    pose, light = _pose(series, degrees, rng), _light(rng)
    return Image.fromarray(photograph(fruit, pose, light, parameters.size))


def _encode(photo: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    content = BytesIO()
    photo.save(content, form, **({"quality": JPEG_QUALITY} | options))
    return content.getvalue()


def _odd_photos(parameters: SampleParameters) -> dict[str, bytes]:
    """Return photos as they really turn up: cut off, or not upright RGB."""

    def shoot(path: str) -> Image.Image:
        fruit = _grow(path.split("/")[1], "", parameters)
        return _shoot(fruit, "", 0, path, parameters)

    truncated, on_side = (
        "Training/Pear/truncated.jpg",
        "Training/Banana/on_its_side.jpg",
    )
    cmyk, grey = "Training/Orange/cmyk.jpg", "Training/Granny Smith/greyscale.jpg"
    transparent = "Training/Strawberry/transparent.png"
    whole = _encode(shoot(truncated))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = TURN_RIGHT_TO_SEE_UPRIGHT
    turned_left = shoot(on_side).transpose(Image.Transpose.ROTATE_90)
    return {
        truncated: whole[: len(whole) * 3 // 5],
        on_side: _encode(turned_left, exif=exif),
        cmyk: _encode(shoot(cmyk).convert("CMYK")),
        grey: _encode(shoot(grey).convert("L")),
        transparent: _encode(_without_paper(shoot(transparent)), "PNG"),
    }


def _without_paper(photo: Image.Image) -> Image.Image:
    """Return the photo with the paper transparent, and black beneath, as tools do."""
    pixels = np.asarray(photo.convert("RGBA")).copy()
    pixels[(pixels == WHITE).all(2)] = 0
    return Image.fromarray(pixels)


def _no_photos() -> dict[str, bytes]:
    """Return files that are no photos, by what their names or contents say."""
    return {
        "Training/Pear/empty.jpg": b"",
        "Training/Lemon/text.jpg": b"The lemons are on the second card.\n",
        "Training/Apple Red/Thumbs.db": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504),
        "Training/.DS_Store": b"\0\0\0\1Bud1" + bytes(504),
    }
