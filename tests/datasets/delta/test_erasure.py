import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from delta_batches import batches, log_of, photo_row, stored_ids
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaBatches
from fruits_pipeline.datasets.delta.erasure import (
    Targets,
    erase_moments,
    erase_rows,
    find_rows,
    purge,
    read_found,
)

pytestmark = pytest.mark.usefixtures("spark")
PHOTOS = {"000001": ["a", "b", "c!"], "000002": ["d"]}


@pytest.fixture
def table(photos: DeltaBatches) -> DeltaBatches:
    photos.save(batches(PHOTOS, schemas.PHOTOS))
    return photos


def erase(table: DeltaBatches, paths: str = "", ids: str = "") -> list[str]:
    """Erase photos by the letters of their names; return the erased paths."""
    targets = Targets(frozenset(f"Test/Kiwi/{name}" for name in paths), frozenset(ids))
    log = log_of(table)
    found = find_rows(log, targets)
    erase_rows(log, found, table.schema)
    return sorted(path for array in found.values() for path in array.to_pylist())


def test_rows_are_erased_by_path_and_id(table: DeltaBatches) -> None:
    assert erase(table, paths="c", ids="ax") == ["Test/Kiwi/a", "Test/Kiwi/c"]
    assert stored_ids(table) == {"000001": ["b"], "000002": ["d"]}


def test_last_row_of_a_batch_is_erased(table: DeltaBatches) -> None:
    assert erase(table, ids="d") == ["Test/Kiwi/d"]
    assert stored_ids(table) == {"000001": ["a", "b", "c!"]}
    assert log_of(table).last_batch == 2  # the number is not used again


def test_all_rows_are_erased(table: DeltaBatches) -> None:
    erase(table, paths="abcd")
    assert stored_ids(table) == {}
    purge(table.filepath)
    assert stored_ids(table) == {}


def test_table_is_unchanged_if_nothing_is_found(table: DeltaBatches) -> None:
    version = log_of(table).version
    assert not erase(table, paths="x", ids="y")
    assert log_of(table).version == version


def test_found_rows_are_read_with_all_columns(table: DeltaBatches) -> None:
    log = log_of(table)
    found = find_rows(log, Targets(ids=frozenset("a")))
    (row,) = pa.Table.from_batches(read_found(log, found, table.schema)).to_pylist()
    assert row["content"] == photo_row("a")["content"]


def test_moments_of_batches_with_erased_photos_are_deleted(
    photos: DeltaBatches,
    features: DeltaBatches,
    moments: DeltaBatches,
    save_all: Callable[[], None],
) -> None:
    photos.save(batches(PHOTOS, schemas.PHOTOS))
    save_all()
    total = Path(f"{moments.filepath}_totals/0123.parquet")
    total.parent.mkdir()
    total.write_bytes(b"of a and b")
    erase(features, paths="a")
    assert erase_moments(log_of(moments), log_of(features)) == 1
    assert [*log_of(moments).batches] == ["000002"]
    assert not total.exists()
    assert erase_moments(log_of(moments), None) == 1
    assert not log_of(moments).batches


def test_purged_log_has_no_old_version_and_no_path(table: DeltaBatches) -> None:
    before = log_of(table)
    last_batch, folder = before.last_batch, Path(table.filepath)
    for name in ("_commit_0f1e-2d.json.tmp", "00000000000000000002.json#1"):
        (folder / "_delta_log" / name).write_text('{"path": "Test/Kiwi/a"}')
    (folder / "_delta_log/my notes.txt").write_text("-")
    erase(table, paths="ad")
    assert purge(table.filepath) >= before.version
    log = log_of(table)
    assert log.version > before.version
    assert log.properties == before.properties
    assert log.last_batch == last_batch
    assert log.writer > 1
    names = {file.name for file in (folder / "_delta_log").iterdir()}
    number = f"{log.version:020}"
    assert names == {
        "_last_checkpoint",
        "my notes.txt",
        f"{number}.json",
        f"{number}.checkpoint.parquet",
    }
    stored = {str(f.relative_to(folder)) for f in folder.glob("batch=*/*.parquet")}
    assert stored == {file.path for file in log.files}
    for file in folder.rglob("*"):
        assert not file.is_file() or b"Test/Kiwi/a" not in file.read_bytes(), file


def test_purged_table_can_be_read_and_written(
    table: DeltaBatches, spark: SparkSession
) -> None:
    erase(table, ids="a")
    purge(table.filepath)
    assert purge(table.filepath) == 1
    rows = {"b", "c!", "d"}
    assert {
        *DeltaTable(table.filepath).to_pyarrow_table()["photo_id"].to_pylist()
    } == rows
    assert {*pl.read_delta(table.filepath)["photo_id"]} == rows
    files = [f"{table.filepath}/{file.path}" for file in log_of(table).files]
    assert {r.photo_id for r in spark.read.parquet(*files).collect()} == rows
    table.save(batches({"000003": ["e"]}, schemas.PHOTOS))
    assert stored_ids(table)["000003"] == ["e"]
    hint = Path(table.filepath, "_delta_log/_last_checkpoint").read_text()
    assert json.loads(hint)["version"] < log_of(table).version
