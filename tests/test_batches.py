import pyarrow as pa
import pyarrow.compute as pc
import pytest
from making import batches, by_path, columns_of, key_of, table_of, types_of
from pyspark.sql import SparkSession

from fruits_pipeline import schemas
from fruits_pipeline.batches import Batches, computed, in_arrow, newest, versions
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parts import Part, Rows, held
from fruits_pipeline.recipes import Recipe

pytestmark = pytest.mark.usefixtures("spark")

KEY = pa.schema(schemas.KEY)
APPLE, PEAR = "Test/Apple/0.jpg", "Test/Pear/0.jpg"


def unread(_: object) -> list[Part]:
    raise AssertionError("parts were asked for before rows were")


def lazily(recipe: Recipe, origin: str | None = None) -> Batches:
    return computed(["000001"], unread, KEY, recipe, origin)


def same(rows: Rows) -> Rows:
    return rows


def in_capitals(rows: Rows) -> Rows:
    for batch in rows:
        label = pc.utf8_upper(batch["label"])
        yield batch.set_column(batch.schema.get_field_index("label"), "label", label)


def test_mapping_reads_nothing() -> None:
    mapped = lazily({"a": 1}).map(same, KEY)
    assert (mapped.names, mapped.recipe) == (("000001",), {"a": 1})


def test_a_step_is_applied_to_the_batches_that_are_asked_for() -> None:
    table = batches({"000001": [key_of(APPLE)], "000002": [key_of(PEAR)]}, KEY)
    mapped = table.map(in_capitals, KEY)
    (row,) = mapped.read(["000002"]).collect()
    assert (row.label, row.batch) == ("PEAR", "000002")


def test_a_step_that_shapes_rows_brings_its_recipe() -> None:
    mapped = lazily({"a": 1}).map(same, KEY, {"a": 1, "b": 2})
    assert mapped.recipe == {"a": 1, "b": 2}


def test_rows_come_from_their_table_and_the_model_that_is_applied() -> None:
    features = lazily({}, origin="table")
    assert features.map(same, KEY).origin == "table"
    assert features.map(same, KEY, model="digest").origin == "table digest"


def test_a_whole_batch_is_one_part_of_all_its_rows() -> None:
    parts = [held(table_of([key_of(path)], KEY)) for path in (APPLE, PEAR)]
    table = computed(["000001"], lambda _: parts, KEY, {})
    (part,) = table.whole().parts("000001")
    assert [batch["path"].to_pylist() for batch in part()] == [[APPLE], [PEAR]]
    assert by_path(table.whole().rows()).keys() == {APPLE, PEAR}


def test_rows_are_those_of_all_batches() -> None:
    table = batches({"000001": [key_of(APPLE)], "000002": [key_of(PEAR)]}, KEY)
    assert by_path(table.rows()).keys() == {APPLE, PEAR}


def test_a_table_without_batches_says_what_to_run() -> None:
    with pytest.raises(FruitsError, match=r"without batches; expected .*`kedro run`"):
        computed([], unread, KEY, {}).rows()


def test_the_row_in_the_last_batch_is_the_newest() -> None:
    old, new = ({**key_of(APPLE), "photo_id": name} for name in ("old", "new"))
    table = batches({"000009": [old], "000010": [new]}, KEY)
    assert by_path(newest(table))[APPLE]["photo_id"] == "new"


def test_every_version_says_where_it_is_and_which_is_the_newest() -> None:
    apple, pear = (held(table_of([key_of(path)], KEY)) for path in (APPLE, PEAR))
    parts = {"000001": [apple, pear], "000002": [held(table_of([], KEY)), apple]}
    again = computed([*parts], parts.__getitem__, KEY, {})
    found = {
        (row.path, row.batch, row.part, row.last) for row in versions(again).collect()
    }
    assert found == {
        (APPLE, "000001", 0, "000002"),
        (APPLE, "000002", 1, "000002"),
        (PEAR, "000001", 1, "000001"),
    }


def test_photos_of_the_same_name_in_other_folders_are_other_photos() -> None:
    table = batches({"000001": [key_of(APPLE)], "000002": [key_of(PEAR)]}, KEY)
    assert by_path(newest(table)).keys() == {APPLE, PEAR}


def test_an_arrow_step_gives_the_columns_of_its_schema(spark: SparkSession) -> None:
    def one_feature(rows: Rows) -> Rows:
        for batch in rows:
            vectors = pa.array([[1.0]] * len(batch), pa.list_(pa.float32()))
            yield pa.record_batch([*batch.columns, vectors], schemas.FEATURES)

    rows = spark.createDataFrame(table_of([key_of(APPLE)], KEY))
    made = in_arrow(rows, one_feature, schemas.FEATURES)
    assert columns_of(made) == types_of(schemas.FEATURES)
    assert by_path(made)[APPLE]["features"] == [1.0]
