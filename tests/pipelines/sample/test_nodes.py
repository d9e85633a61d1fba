from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from fruits_pipeline.imaging.synthetic.fruit import KINDS
from fruits_pipeline.pipelines.sample.nodes import SampleParameters, render_sample

SIZE = 40
FEW = SampleParameters(frames_per_series=4, seed=7, size=SIZE)
NO_PHOTOS = ("empty.jpg", "text.jpg", "Thumbs.db", ".DS_Store")


@pytest.fixture(scope="module")
def sample() -> dict[str, bytes]:
    return render_sample(FEW)


def opened(content: bytes) -> Image.Image:
    photo = Image.open(BytesIO(content))
    photo.load()
    return photo


def pixels(content: bytes) -> NDArray[np.int64]:
    return np.asarray(opened(content).convert("RGB")).astype(int)


def frames(sample: dict[str, bytes]) -> dict[str, bytes]:
    return {
        path: content
        for path, content in sample.items()
        if path.endswith(f"_{SIZE}.jpg")
    }


def test_the_same_parameters_give_the_same_bytes(sample: dict[str, bytes]) -> None:
    assert render_sample(FEW) == sample


def test_another_seed_gives_other_photos_of_the_same_names(
    sample: dict[str, bytes],
) -> None:
    other = render_sample(FEW.model_copy(update={"seed": 8}))

    assert other.keys() == sample.keys()
    assert all(other[path] != content for path, content in frames(sample).items())


def test_every_kind_has_two_series_whose_fourth_frames_are_test(
    sample: dict[str, bytes],
) -> None:
    expected = {
        f"{split}/{kind}/{series}{degrees}_{SIZE}.jpg"
        for kind in KINDS
        for series in ("", "r_")
        for split, degrees in (
            ("Training", 0),
            ("Training", 90),
            ("Training", 180),
            ("Test", 270),
        )
    }

    assert frames(sample).keys() == expected


def test_no_two_photos_have_the_same_bytes(sample: dict[str, bytes]) -> None:
    assert len(set(frames(sample).values())) == len(frames(sample))


def test_photos_are_rgb_jpegs_of_the_size_with_a_white_border(
    sample: dict[str, bytes],
) -> None:
    for path, content in frames(sample).items():
        photo = opened(content)
        assert (photo.format, photo.mode, photo.size) == ("JPEG", "RGB", (SIZE, SIZE))
        corners = pixels(content)[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert corners.min() > 230, path


def test_the_default_sample_stays_below_three_megabytes(
    sample: dict[str, bytes],
) -> None:
    # A photo of 100 pixels has fewer bytes per pixel than one of 40.
    bytes_per_pixel = sum(map(len, sample.values())) / len(sample) / SIZE**2

    assert bytes_per_pixel * 100**2 * 12 * 2 * len(KINDS) < 3e6


def test_the_truncated_photo_opens_but_cannot_be_decoded(
    sample: dict[str, bytes],
) -> None:
    photo = Image.open(BytesIO(sample["Training/Pear/truncated.jpg"]))

    assert photo.size == (SIZE, SIZE)
    with pytest.raises(OSError, match="truncated"):
        photo.load()


@pytest.mark.parametrize("name", NO_PHOTOS)
def test_files_that_are_no_photos_cannot_be_opened(
    sample: dict[str, bytes], name: str
) -> None:
    (content,) = (sample[path] for path in sample if path.endswith("/" + name))

    with pytest.raises(UnidentifiedImageError):
        Image.open(BytesIO(content))


def test_the_empty_photo_is_empty(sample: dict[str, bytes]) -> None:
    assert sample["Training/Pear/empty.jpg"] == b""


@pytest.mark.parametrize(
    ("path", "form", "mode"),
    [
        ("Training/Orange/cmyk.jpg", "JPEG", "CMYK"),
        ("Training/Granny Smith/greyscale.jpg", "JPEG", "L"),
        ("Training/Strawberry/transparent.png", "PNG", "RGBA"),
    ],
)
def test_an_odd_photo_is_what_its_name_says(
    sample: dict[str, bytes], path: str, form: str, mode: str
) -> None:
    photo = opened(sample[path])

    assert (photo.format, photo.mode) == (form, mode)


def test_the_cmyk_orange_is_orange(sample: dict[str, bytes]) -> None:
    red, green, blue = pixels(sample["Training/Orange/cmyk.jpg"])[SIZE // 2, SIZE // 2]

    assert red > green > blue


def test_the_paper_of_the_transparent_photo_is_transparent_and_black(
    sample: dict[str, bytes],
) -> None:
    photo = np.asarray(opened(sample["Training/Strawberry/transparent.png"]))

    assert photo[0, 0].tolist() == [0, 0, 0, 0]
    assert photo[SIZE // 2, SIZE // 2, 3] == 255


def test_the_photo_on_its_side_is_upright_once_its_tag_is_obeyed(
    sample: dict[str, bytes],
) -> None:
    photo = opened(sample["Training/Banana/on_its_side.jpg"])

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
def test_parameters_out_of_range_are_refused(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=key):
        SampleParameters(
            **({"frames_per_series": 4, "seed": 7, "size": 40} | {key: value})
        )
