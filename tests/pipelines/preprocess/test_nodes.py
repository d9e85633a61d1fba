import pytest
from factories import (
    by_path,
    column_types,
    encode,
    frame,
    jpeg,
    key_of,
    spark_types,
    truncated_jpeg,
)
from PIL import Image
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.parameters import PreprocessParameters
from fruits_pipeline.pipelines.preprocess.nodes import make_canonical

pytestmark = pytest.mark.usefixtures("spark")

PARAMETERS = PreprocessParameters(
    short_side=32, decode_memory_mib=40, seconds_per_photo=60, max_error_rate=0.05
)
CONTENTS = {
    "Test/Kiwi/small.jpg": jpeg(1, (30, 30)),
    "Test/Kiwi/large.jpg": jpeg(2, (64, 48)),
    "Test/Kiwi/huge.png": encode(Image.new("RGB", (4000, 3000))),
    "Test/Kiwi/truncated.jpg": truncated_jpeg(4),
    "Test/Kiwi/empty.jpg": b"",
    "Test/Kiwi/text.jpg": b"not a photo",
}
ACCEPTED = {"Test/Kiwi/small.jpg", "Test/Kiwi/large.jpg"}


@pytest.fixture(scope="module")
def images(spark: object) -> DataFrame:
    rows = [{**key_of(path), "content": content} for path, content in CONTENTS.items()]
    return make_canonical(frame(rows, schemas.PHOTOS), PARAMETERS)


def test_every_photo_has_a_row_with_its_key(images: DataFrame) -> None:
    names = [field.name for field in schemas.KEY]
    rows = by_path(images)
    assert {path: {n: row[n] for n in names} for path, row in rows.items()} == {
        path: key_of(path) for path in CONTENTS
    }


def test_photo_has_either_an_image_or_an_error(images: DataFrame) -> None:
    rows = by_path(images)
    assert {path for path, row in rows.items() if row["image"]} == ACCEPTED
    assert {path for path, row in rows.items() if not row["error"]} == ACCEPTED


def test_error_states_why_a_photo_was_rejected(images: DataFrame) -> None:
    errors = {path: row["error"] for path, row in by_path(images).items()}
    assert errors["Test/Kiwi/truncated.jpg"].startswith("damaged JPEG: ")
    assert errors["Test/Kiwi/empty.jpg"] == "empty file (0 bytes)"
    assert "decode_memory_mib = 40" in errors["Test/Kiwi/huge.png"]


def test_photo_that_was_not_read_keeps_its_error() -> None:
    row = {**key_of("Test/Kiwi/closed.jpg"), "error": "cannot be read"}
    (image,) = by_path(
        make_canonical(frame([row], schemas.PHOTOS), PARAMETERS)
    ).values()
    assert (image["error"], image["image"]) == ("cannot be read", None)


def test_parameters_are_applied(images: DataFrame) -> None:
    rows = by_path(images)
    assert rows["Test/Kiwi/small.jpg"]["image"] == CONTENTS["Test/Kiwi/small.jpg"]
    assert rows["Test/Kiwi/large.jpg"]["image"] != CONTENTS["Test/Kiwi/large.jpg"]


def test_width_and_height_are_those_of_the_original(images: DataFrame) -> None:
    row = by_path(images)["Test/Kiwi/large.jpg"]
    assert (row["width"], row["height"]) == (64, 48)


def test_columns_match_the_schema(images: DataFrame) -> None:
    assert column_types(images) == spark_types(schemas.IMAGES)


def test_empty_input_gives_empty_output() -> None:
    images = make_canonical(frame([], schemas.PHOTOS), PARAMETERS)
    assert (images.collect(), column_types(images)) == ([], spark_types(schemas.IMAGES))
