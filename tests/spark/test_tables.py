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
    store_table,
    uppercase_labels,
)
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.spark.frames import map_arrow, record_batches, write
from fruits_pipeline.spark.parts import Rows
from fruits_pipeline.spark.tables import from_table, hadoop_path

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
    assert empty.columns[-1] == "batch"


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
    assert by_path(table.where("batch = '000002'")).keys() == {PEAR}
    mapped = map_arrow(table.drop("batch"), uppercase_labels, KEY)
    reports = write(mapped, f"{folder}/out", KEY)
    assert by_path(read_reported(folder / "out", reports)).keys() == {APPLE, PEAR}


def test_driver_reads_rows_of_a_table_without_the_jvm(
    table: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(table), "toArrow", None)
    batches = [*record_batches(table)]
    paths = [path for batch in batches for path in batch["path"].to_pylist()]
    assert paths == [APPLE, PEAR, LIME]


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
