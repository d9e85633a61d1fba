import os
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from factories import by_path, column_types, frame, key_of, spark_types
from frame_helpers import (
    APPLE,
    KEY,
    LIME,
    PEAR,
    key_table,
    read_reported,
    store_files,
    store_table,
    uppercase_labels,
)
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.spark.frames import from_files, map_arrow, record_batches, write
from fruits_pipeline.spark.parts import Rows
from fruits_pipeline.spark.tables import (
    batch_names,
    from_table,
    hadoop_path,
    in_batches,
)

pytestmark = pytest.mark.usefixtures("spark")

BATCH_OF = {APPLE: "000001", PEAR: "000001", LIME: "000010"}


@pytest.fixture
def table(tmp_path: Path) -> DataFrame:
    """Return a table of two batches, the first in two files."""
    apple, pear, lime = map(key_table, (APPLE, PEAR, LIME))
    return store_table(tmp_path / "table", {"000001": [apple, pear], "000010": [lime]})


def frame_without_parts() -> DataFrame:
    """Return the rows of `table` as a plain Spark DataFrame."""
    rows = [key_of(path) | {"batch": batch} for path, batch in BATCH_OF.items()]
    return frame(rows, KEY)


def test_table_has_the_column_batch(table: DataFrame) -> None:
    assert by_path(table) == by_path(frame_without_parts())
    assert table.columns == [*KEY.names, "batch"]


def test_steps_get_the_column_batch(table: DataFrame, tmp_path: Path) -> None:
    def batch_as_label(rows: Rows) -> Rows:
        for batch in rows:
            yield pa.record_batch([batch["path"], batch["batch"]], ["path", "label"])

    schema = pa.schema([KEY.field("path"), KEY.field("label")])
    mapped = map_arrow(table, batch_as_label, schema)
    reports = write(mapped, str(tmp_path), schema)
    for found in (by_path(mapped), by_path(read_reported(tmp_path, reports))):
        assert {path: row["label"] for path, row in found.items()} == BATCH_OF


def test_table_without_files_is_empty(tmp_path: Path) -> None:
    empty = from_table(str(tmp_path), [], schemas.FEATURES)
    assert empty.collect() == []
    assert column_types(empty) == spark_types(schemas.FEATURES)
    assert (empty.columns[-1], batch_names(empty)) == ("batch", [])
    assert [*record_batches(in_batches(empty, ["000001"]))] == []


@pytest.mark.parametrize(
    "name",
    ["[a]*{b}?", "a b#c%20", "a=1, b", "back\\slash", "co:lon", "~x$HOME", "P\u0302🍎"],
)
def test_folder_names_may_contain_special_characters(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    batches = {"000001": [key_table(APPLE)], "000002": [key_table(PEAR)]}
    table = store_table(folder, batches)
    # `[a]*{b}?` as a glob pattern would also match this folder.
    shutil.copytree(folder, tmp_path / "a-b-", dirs_exist_ok=True)
    assert {p: row["batch"] for p, row in by_path(table).items()} == {
        APPLE: "000001",
        PEAR: "000002",
    }
    assert by_path(in_batches(table, ["000002"])).keys() == {PEAR}
    mapped = map_arrow(table.drop("batch"), uppercase_labels, KEY)
    reports = write(mapped, f"{folder}/out", KEY)
    assert by_path(read_reported(folder / "out", reports)).keys() == {APPLE, PEAR}


@pytest.mark.parametrize("is_stored", [True, False])
def test_batches_are_selected_by_name(table: DataFrame, is_stored: bool) -> None:
    rows = table if is_stored else frame_without_parts()
    assert batch_names(rows) == ["000001", "000010"]
    selected = in_batches(rows, ["000010", "000099"])
    assert batch_names(selected) == ["000010"]
    assert by_path(selected) == {LIME: key_of(LIME) | {"batch": "000010"}}
    iterated = pa.Table.from_batches(record_batches(selected))
    assert by_path(iterated) == by_path(selected)
    assert batch_names(in_batches(rows, [])) == []
    assert by_path(pa.Table.from_batches(record_batches(rows))) == by_path(rows)


def test_only_selected_batches_are_read(table: DataFrame, tmp_path: Path) -> None:
    for file in (tmp_path / "table/batch=000001").iterdir():
        file.write_bytes(b"damaged")
    selected = in_batches(table, ["000010"])
    assert by_path(selected).keys() == {LIME}
    assert by_path(pa.Table.from_batches(record_batches(selected))).keys() == {LIME}


def test_driver_reads_rows_of_a_table_without_the_jvm(
    table: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(table), "toArrow", None)
    batches = [*record_batches(in_batches(table, ["000001"]))]
    assert [batch["path"].to_pylist() for batch in batches] == [[APPLE], [PEAR]]
    assert batch_names(table) == ["000001", "000010"]


def test_batch_names_requires_the_column_batch(tmp_path: Path) -> None:
    rows = from_files(store_files(tmp_path, key_table(APPLE)), KEY)
    with pytest.raises(AnalysisException, match="`batch` cannot be resolved"):
        batch_names(rows)


def test_batches_are_selected_after_map_arrow(table: DataFrame) -> None:
    schema = pa.schema([*KEY, schemas.BATCH])
    mapped = map_arrow(table, uppercase_labels, schema)
    assert batch_names(mapped) == ["000001", "000010"]
    assert by_path(in_batches(mapped, ["000010"])).keys() == {LIME}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("s3://bucket/s3://x", "s3a://bucket/s3://x"),
        ("s3a://bucket/x", "s3a://bucket/x"),
        ("/data/s3://x", "file:/data/s3:/x"),
        ("/data/a b%20é", "file:/data/a b%20é"),
        ("data/x", f"file:{os.getcwd()}/data/x"),
    ],
)
def test_hadoop_path_is_a_url_with_the_scheme_of_hadoop(
    path: str, expected: str
) -> None:
    assert hadoop_path(path) == expected
