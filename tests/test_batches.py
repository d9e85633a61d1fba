import pyarrow as pa
import pytest
from making import batches, by_path, columns_of, frame, key_of, types_of
from pyspark.sql import DataFrame as SparkDataFrame
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from fruits_pipeline import schemas
from fruits_pipeline.arrow_steps import Rows
from fruits_pipeline.batches import Batches, in_arrow, newest
from fruits_pipeline.errors import FruitsError

pytestmark = pytest.mark.usefixtures("spark")

KEY = pa.schema(schemas.KEY)
APPLE, PEAR = "Test/Apple/0.jpg", "Test/Pear/0.jpg"


def unread(_: object) -> SparkDataFrame:
    raise AssertionError("rows were read before they were asked for")


def test_mapping_reads_nothing() -> None:
    lazy = Batches(("000001",), unread, {"a": 1})
    mapped = lazy.map(lambda rows: rows.where("label is not null"))
    assert (mapped.names, mapped.recipe) == (("000001",), {"a": 1})


def test_a_step_is_applied_to_the_batches_that_are_asked_for() -> None:
    table = batches({"000001": [key_of(APPLE)], "000002": [key_of(PEAR)]}, KEY)
    mapped = table.map(lambda rows: rows.withColumn("label", F.upper("label")))
    assert [row.label for row in mapped.read(["000002"]).collect()] == ["PEAR"]


def test_a_step_that_shapes_rows_brings_its_recipe() -> None:
    mapped = Batches((), unread, {"a": 1}).map(lambda rows: rows, {"a": 1, "b": 2})
    assert mapped.recipe == {"a": 1, "b": 2}


def test_rows_come_from_their_table_and_the_model_that_is_applied() -> None:
    features = Batches((), unread, {}, origin="table")
    assert features.map(lambda rows: rows).origin == "table"
    assert features.map(lambda rows: rows, model="digest").origin == "table digest"


def test_rows_are_those_of_all_batches() -> None:
    table = batches({"000001": [key_of(APPLE)], "000002": [key_of(PEAR)]}, KEY)
    assert by_path(table.rows()).keys() == {APPLE, PEAR}


def test_a_table_without_batches_says_what_to_run() -> None:
    with pytest.raises(FruitsError, match=r"without batches; expected .*`kedro run`"):
        Batches((), unread, {}).rows()


def test_the_row_in_the_last_batch_is_the_newest() -> None:
    old, new = ({**key_of(APPLE), "photo_id": name} for name in ("old", "new"))
    table = batches({"000009": [old], "000010": [new]}, KEY)
    assert by_path(newest(table.rows()))[APPLE]["photo_id"] == "new"


def test_photos_of_the_same_name_in_other_folders_are_other_photos() -> None:
    table = batches({"000001": [key_of(APPLE)], "000002": [key_of(PEAR)]}, KEY)
    assert by_path(newest(table.rows())).keys() == {APPLE, PEAR}


def test_an_arrow_step_gives_the_columns_of_its_schema(spark: SparkSession) -> None:
    def one_feature(rows: Rows) -> Rows:
        for batch in rows:
            vectors = pa.array([[1.0]] * len(batch), pa.list_(pa.float32()))
            yield pa.record_batch([*batch.columns, vectors], schemas.FEATURES)

    made = in_arrow(frame([key_of(APPLE)], KEY), one_feature, schemas.FEATURES)
    assert columns_of(made) == types_of(schemas.FEATURES)
    assert by_path(made)[APPLE]["features"] == [1.0]
