from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from factories import arrow_table, frame, key_of
from frame_helpers import APPLE, KEY, LIME, PEAR, fail_if_read, store_table
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.spark.columns import add_binary_column, in_splits
from fruits_pipeline.spark.frames import map_arrow

pytestmark = pytest.mark.usefixtures("spark")

IMAGES = pa.schema([*KEY, pa.field("image", pa.binary())])


def image_table(*paths: str) -> pa.Table:
    rows = [key_of(path) | {"image": path.encode()} for path in paths]
    return arrow_table(rows, IMAGES)


@pytest.fixture
def images(tmp_path: Path) -> DataFrame:
    batches = {"000001": [image_table(APPLE, PEAR)], "000002": [image_table(LIME)]}
    return store_table(tmp_path / "table", batches)


def test_binary_column_is_added_to_selected_rows(images: DataFrame) -> None:
    selected = pd.DataFrame(
        {
            "path": [LIME, APPLE],
            "batch": ["000002", "000001"],
            "answer": ["lime", "apple"],
        }
    )
    found = add_binary_column(images, selected, "image")
    assert found.to_dict("list") == {
        **selected.to_dict("list"),
        "image": [LIME.encode(), APPLE.encode()],
    }
    assert "image" not in selected


def test_other_batches_are_not_read(images: DataFrame, tmp_path: Path) -> None:
    (file,) = (tmp_path / "table/batch=000002").iterdir()
    file.write_bytes(b"damaged")
    selected = pd.DataFrame({"path": [PEAR], "batch": ["000001"]})
    found = add_binary_column(images, selected, "image")
    assert [*found["image"]] == [PEAR.encode()]


def test_nothing_is_read_for_no_rows(images: DataFrame) -> None:
    schema = pa.schema([*IMAGES, schemas.BATCH])
    nothing = pd.DataFrame({"path": [], "batch": []})
    unread = map_arrow(images, fail_if_read, schema)
    found = add_binary_column(unread, nothing, "image")
    assert (len(found), [*found.columns]) == (0, ["path", "batch", "image"])


def test_in_splits_ignores_case_and_is_null_without_a_split() -> None:
    splits = ["Training", "TRAIN", "Test", "", None]
    rows = [key_of(APPLE) | {"split": split} for split in splits]
    found = frame(rows, KEY).select(in_splits(["training", "Train"])).collect()
    assert [row[0] for row in found] == [True, True, False, False, None]
