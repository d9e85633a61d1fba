import os
import re
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from factories import by_path, column_types, frame, key_of, spark_types
from frame_helpers import (
    APPLE,
    KEY,
    LIME,
    PEAR,
    fail_if_read,
    fill_column,
    key_table,
    read_reported,
    store_files,
    store_table,
    uppercase_labels,
)
from pyspark.errors import PythonException
from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline import schemas
from fruits_pipeline.spark.frames import (
    from_files,
    from_tables,
    in_one_task,
    map_arrow,
    task_count,
    write,
)
from fruits_pipeline.spark.parts import Rows

pytestmark = pytest.mark.usefixtures("spark")


def process_id() -> str:
    return str(os.getpid())


def calling_functions() -> str:
    return " ".join(call.name for call in traceback.extract_stack())


@pytest.fixture
def plans(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record the operators of every Spark job whose rows are collected."""
    recorded: list[list[str]] = []
    frame_type = type(spark.range(1))
    collect = frame_type.collect

    def record(rows: Any) -> Any:
        plan = rows._jdf.queryExecution().executedPlan().toString()
        recorded.append(re.findall(r"^[^a-zA-Z]*(\w+)", plan, re.MULTILINE))
        return collect(rows)

    monkeypatch.setattr(frame_type, "collect", record)
    return recorded


Source = Callable[[Path], DataFrame]

SOURCES: dict[str, Source] = {
    "tables": lambda _: from_tables([key_table(APPLE), key_table(PEAR)], KEY),
    "files": lambda folder: from_files(
        store_files(folder, key_table(APPLE), key_table(PEAR)), KEY
    ),
    "a table": lambda folder: store_table(
        folder, {"000001": [key_table(APPLE)], "000002": [key_table(PEAR)]}
    ).drop("batch"),
    "where": lambda folder: SOURCES["files"](folder).where("label <> 'Lime'"),
    "select": lambda folder: SOURCES["files"](folder).select(KEY.names),
    "Spark": lambda _: frame([key_of(APPLE), key_of(PEAR)], KEY),
    "empty partitions": lambda _: SOURCES["Spark"](_).repartition(5),
}


@pytest.fixture(params=SOURCES)
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> DataFrame:
    """Return the rows of an apple and a pear, from several sources."""
    return SOURCES[request.param](tmp_path / "source")


def test_frame_has_the_rows_and_columns_of_its_source(rows: DataFrame) -> None:
    assert by_path(rows) == {APPLE: key_of(APPLE), PEAR: key_of(PEAR)}
    assert column_types(rows) == spark_types(KEY)


def test_step_is_applied_to_the_rows_of_every_source(rows: DataFrame) -> None:
    mapped = by_path(map_arrow(rows, uppercase_labels, KEY))
    assert {path: row["label"] for path, row in mapped.items()} == {
        APPLE: "APPLE",
        PEAR: "PEAR",
    }


def test_steps_can_be_combined_with_spark_operations(rows: DataFrame) -> None:
    fill_series = partial(fill_column, column="series", value=lambda: "filmed")
    mapped = map_arrow(map_arrow(rows, uppercase_labels, KEY), fill_series, KEY)
    pears = mapped.where("label = 'PEAR'")
    (row,) = map_arrow(pears, uppercase_labels, KEY).collect()
    assert (row.path, row.label, row.series) == (PEAR, "PEAR", "filmed")


def test_written_files_match_their_reports(rows: DataFrame, tmp_path: Path) -> None:
    folder = tmp_path / "batch=000001"
    reports = write(map_arrow(rows, uppercase_labels, KEY), str(folder), KEY)
    assert by_path(read_reported(folder, reports)) == {
        APPLE: key_of(APPLE) | {"label": "APPLE"},
        PEAR: key_of(PEAR) | {"label": "PEAR"},
    }
    for report in reports:
        file = folder / report["file"]
        paths = pq.ParquetFile(file).read()["path"].to_pylist()
        assert report == {
            "file": file.name,
            "size_bytes": file.stat().st_size,
            "rows": len(paths),
            "errors": 0,
            "photos": len(paths),
            "first_path": min(paths, default=None),
            "last_path": max(paths, default=None),
            "retries": 0,
            "writes": 0,
            "reads": 0,
            "without_content": 0,
        }
    assert len(reports) == len([*folder.iterdir()])


def test_file_names_contain_the_task_number(rows: DataFrame, tmp_path: Path) -> None:
    reports = write(rows, str(tmp_path), KEY)
    numbers = [int(report["file"].split("-")[1]) for report in reports]
    assert numbers == [*range(len(reports))]
    assert len(reports) == task_count(rows)


def test_each_arrow_table_is_one_task_with_its_rows_in_order() -> None:
    rows = from_tables([key_table(PEAR, APPLE), key_table(LIME)], KEY)
    assert task_count(rows) == rows.rdd.getNumPartitions() == 2
    assert [row.path for row in rows.collect()] == [PEAR, APPLE, LIME]


def test_frame_of_no_tables_is_empty(tmp_path: Path) -> None:
    rows = from_tables([], KEY)
    assert (rows.count(), column_types(rows)) == (0, spark_types(KEY))
    (report,) = write(rows, str(tmp_path), KEY)
    assert report["rows"] == 0


def test_step_can_change_the_schema(rows: DataFrame) -> None:
    def add_features(rows: Rows) -> Rows:
        for batch in rows:
            features = pa.array([[1.0]] * len(batch), pa.list_(pa.float32()))
            yield pa.record_batch([*batch.columns, features], schemas.FEATURES)

    mapped = map_arrow(rows, add_features, schemas.FEATURES)
    assert column_types(mapped) == spark_types(schemas.FEATURES)
    assert by_path(mapped)[APPLE]["features"] == [1.0]


def test_map_arrow_is_lazy(rows: DataFrame) -> None:
    single = in_one_task(map_arrow(rows, fail_if_read, KEY))
    assert column_types(map_arrow(single, uppercase_labels, KEY)) == spark_types(KEY)


def test_steps_and_write_share_a_process(
    tmp_path: Path, plans: list[list[str]]
) -> None:
    files = store_files(tmp_path / "in", key_table(APPLE), key_table(PEAR))
    rows = from_files(files, KEY)
    plans.clear()
    for column, value in (
        ("label", process_id),
        ("split", process_id),
        ("series", calling_functions),
    ):
        step = partial(fill_column, column=column, value=value)
        rows = map_arrow(rows, step, KEY)
    reports = write(rows, f"{tmp_path}/out", KEY)
    written = by_path(read_reported(tmp_path / "out", reports))
    assert plans == [["MapInArrow", "Range"]]
    assert written.keys() == {APPLE, PEAR}
    for row in written.values():
        assert row["label"] == row["split"] != process_id()
        assert "write_rows" in row["series"].split()


def test_spark_operation_between_steps_is_part_of_the_plan(
    tmp_path: Path, plans: list[list[str]]
) -> None:
    files = store_files(tmp_path / "in", key_table(APPLE), key_table(PEAR))
    rows = from_files(files, KEY)
    plans.clear()
    fill_label = partial(fill_column, column="label", value=process_id)
    fill_split = partial(fill_column, column="split", value=process_id)
    pears = map_arrow(rows, fill_label, KEY).where(f"path = '{PEAR}'")
    reports = write(map_arrow(pears, fill_split, KEY), f"{tmp_path}/out", KEY)
    written = by_path(read_reported(tmp_path / "out", reports))
    assert plans == [["MapInArrow"] * 2 + ["Filter"] + ["MapInArrow"] * 2 + ["Range"]]
    assert written.keys() == {PEAR}
    assert written[PEAR]["label"] != written[PEAR]["split"]


def test_columns_of_a_file_are_nullable_after_a_filter(tmp_path: Path) -> None:
    rows = from_tables([key_table(APPLE), key_table(PEAR)], KEY)
    pears = rows.where(f"path = '{PEAR}' and photo_id is not null")
    reports = write(pears, str(tmp_path), KEY)
    assert [report["rows"] for report in reports] == [0, 1]
    for report in reports:
        schema = pq.ParquetFile(tmp_path / report["file"]).schema_arrow
        assert schema.remove_metadata() == KEY


def test_timestamps_and_bytes_are_preserved(tmp_path: Path) -> None:
    noon = datetime(2026, 7, 1, 12, 0, 0, 123456, UTC)
    photo = {"size_bytes": 2, "modified_at": noon, "etag": "e", "content": b"\0\xff"}
    photos = frame([key_of(APPLE) | photo], schemas.PHOTOS)
    stored = read_reported(tmp_path, write(photos, str(tmp_path), schemas.PHOTOS))
    assert stored.schema.remove_metadata() == schemas.PHOTOS
    assert stored.to_pylist() == [key_of(APPLE) | photo | {"error": None}]


def test_error_of_a_worker_names_the_damaged_file(tmp_path: Path) -> None:
    (path,) = store_files(tmp_path / "in", key_table(APPLE))
    Path(path).write_bytes(b"PAR1")
    rows = map_arrow(from_files([path], KEY), uppercase_labels, KEY)
    message = f"FruitsError: Found {re.escape(path)} unreadable"
    with pytest.raises(PythonException, match=message):
        write(rows, f"{tmp_path}/out", KEY)


def test_in_one_task_returns_a_single_task(rows: DataFrame, tmp_path: Path) -> None:
    def count_rows(rows: Rows) -> Rows:
        n = sum(map(len, rows))
        row = {"n": n, "mean": [], "comoment": [], "keys": f"{n:016x}"}
        yield pa.RecordBatch.from_pylist([row], schemas.MOMENTS)

    single = in_one_task(rows)
    assert task_count(single) == 1
    moments = map_arrow(single, count_rows, schemas.MOMENTS)
    assert [row.n for row in moments.collect()] == [2]
    (report,) = write(moments, str(tmp_path), schemas.MOMENTS)
    assert (report["rows"], report["photos"]) == (1, 2)
