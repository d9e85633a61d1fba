from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from fruits_pipeline.imaging.synthetic.fruits import FRUITS
from fruits_pipeline.parameters import SampleParameters
from fruits_pipeline.pipelines.sample.nodes import render_sample

SIZE = 40
PARAMETERS = SampleParameters(frames_per_series=4, seed=7, size=SIZE)
INVALID_FILES = ("empty.jpg", "text.jpg", "Thumbs.db", ".DS_Store")


@pytest.fixture(scope="module")
def sample() -> dict[str, bytes]:
    return render_sample(PARAMETERS)


def open_photo(content: bytes) -> Image.Image:
    photo = Image.open(BytesIO(content))
    photo.load()
    return photo


def pixels(content: bytes) -> NDArray[np.int64]:
    return np.asarray(open_photo(content).convert("RGB")).astype(int)


def frames(sample: dict[str, bytes]) -> dict[str, bytes]:
    return {
        path: content
        for path, content in sample.items()
        if path.endswith(f"_{SIZE}.jpg")
    }


def test_rendering_is_deterministic(sample: dict[str, bytes]) -> None:
    assert render_sample(PARAMETERS) == sample


def test_seed_changes_all_photos_but_not_their_names(sample: dict[str, bytes]) -> None:
    other = render_sample(PARAMETERS.model_copy(update={"seed": 8}))
    assert other.keys() == sample.keys()
    assert all(other[path] != content for path, content in frames(sample).items())


def test_every_fourth_frame_of_two_series_is_in_test(sample: dict[str, bytes]) -> None:
    expected = {
        f"{split}/{label}/{series}{degrees}_{SIZE}.jpg"
        for label in FRUITS
        for series in ("", "r_")
        for split, degrees in (
            ("Training", 0),
            ("Training", 90),
            ("Training", 180),
            ("Test", 270),
        )
    }
    assert frames(sample).keys() == expected


def test_photos_are_unique(sample: dict[str, bytes]) -> None:
    assert len(set(frames(sample).values())) == len(frames(sample))


def test_photos_are_rgb_jpegs_with_white_corners(sample: dict[str, bytes]) -> None:
    for path, content in frames(sample).items():
        photo = open_photo(content)
        assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (SIZE, SIZE))
        corners = pixels(content)[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert corners.min() > 230, path


def test_default_sample_is_smaller_than_3_megabytes(sample: dict[str, bytes]) -> None:
    # Photos of 100 px, the default, have fewer bytes per pixel than those of 40 px.
    bytes_per_pixel = sum(map(len, sample.values())) / len(sample) / SIZE**2
    assert bytes_per_pixel * 100**2 * 12 * 2 * len(FRUITS) < 3e6


def test_truncated_photo_opens_but_cannot_be_decoded(sample: dict[str, bytes]) -> None:
    photo = Image.open(BytesIO(sample["Training/Pear/truncated.jpg"]))
    assert photo.size == (SIZE, SIZE)
    with pytest.raises(OSError, match="truncated"):
        photo.load()


@pytest.mark.parametrize("name", INVALID_FILES)
def test_invalid_files_cannot_be_opened(sample: dict[str, bytes], name: str) -> None:
    (content,) = (sample[path] for path in sample if path.endswith("/" + name))
    with pytest.raises(UnidentifiedImageError):
        Image.open(BytesIO(content))


def test_empty_photo_has_no_bytes(sample: dict[str, bytes]) -> None:
    assert sample["Training/Pear/empty.jpg"] == b""


@pytest.mark.parametrize(
    ("path", "file_format", "mode"),
    [
        ("Training/Orange/cmyk.jpg", "JPEG", "CMYK"),
        ("Training/Granny Smith/greyscale.jpg", "JPEG", "L"),
        ("Training/Strawberry/transparent.png", "PNG", "RGBA"),
    ],
)
def test_unusual_photo_has_the_format_and_mode_of_its_name(
    sample: dict[str, bytes], path: str, file_format: str, mode: str
) -> None:
    photo = open_photo(sample[path])
    assert (photo.format, photo.mode) == (file_format, mode)


def test_cmyk_orange_is_orange(sample: dict[str, bytes]) -> None:
    red, green, blue = pixels(sample["Training/Orange/cmyk.jpg"])[SIZE // 2, SIZE // 2]
    assert red > green > blue


def test_png_background_is_transparent_black(sample: dict[str, bytes]) -> None:
    photo = np.asarray(open_photo(sample["Training/Strawberry/transparent.png"]))
    assert photo[0, 0].tolist() == [0, 0, 0, 0]
    assert photo[SIZE // 2, SIZE // 2, 3] == 255


def test_sideways_photo_has_an_exif_orientation(sample: dict[str, bytes]) -> None:
    photo = open_photo(sample["Training/Banana/on_its_side.jpg"])
    assert photo.getexif()[ExifTags.Base.Orientation] == 6
    rows, columns = np.nonzero(np.asarray(photo.convert("L")) < 250)
    assert np.ptp(columns) > np.ptp(rows)
    upright = np.asarray(ImageOps.exif_transpose(photo).convert("L"))
    rows, columns = np.nonzero(upright < 250)
    assert np.ptp(rows) > np.ptp(columns)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("frames_per_series", 0),
        ("frames_per_series", 361),
        ("frames_per_series", "many"),
        ("seed", 1.5),
        ("size", 8),
        ("size", 10_000),
    ],
)
def test_invalid_parameters_are_rejected(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=key):
        SampleParameters.model_validate(PARAMETERS.model_dump() | {key: value})
