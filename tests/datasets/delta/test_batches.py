from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from delta_batches import (
    batch_of_parts,
    batches,
    data_files,
    fail_if_computed,
    log_of,
    photo_row,
    stored_ids,
)
from deltalake import DeltaTable
from factories import arrow_table, fingerprints, frame
from kedro.io import DatasetError
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaBatches, DeltaSpark
from fruits_pipeline.spark.frames import from_tables, map_arrow
from fruits_pipeline.spark.parts import Rows

pytestmark = pytest.mark.usefixtures("spark")


def test_saved_batches_are_loaded_by_name(images: DeltaBatches) -> None:
    assert not images.exists()
    images.save(batches({"000001": ["a", "b"], "000012": ["c"]}))
    loaded = images.load()
    assert [*loaded] == ["000001", "000012"]
    assert {r.photo_id for r in loaded["000001"]().collect()} == {"a", "b"}
    assert images.exists()


def test_unknown_batch_name_is_an_error(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    with pytest.raises(KeyError):
        images.load()["000002"]()


def test_missing_table_cannot_be_loaded(images: DeltaBatches) -> None:
    with pytest.raises(DatasetError, match="Found no table in .*images; expected one"):
        images.load()


def test_only_missing_batches_are_computed(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    before = fingerprints(Path(images.filepath))
    images.save({"000001": fail_if_computed, **batches({"000002": ["b", "c"]})})
    assert (images.saved.batches, images.saved.photos) == (("000002",), 2)
    after = fingerprints(Path(images.filepath))
    assert {name: after[name] for name in before} == before
    assert stored_ids(images) == {"000001": ["a"], "000002": ["b", "c"]}


def test_nothing_is_written_if_no_batch_is_missing(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    before = fingerprints(Path(images.filepath))
    images.save({"000001": fail_if_computed})
    assert fingerprints(Path(images.filepath)) == before
    assert (images.saved.batches, images.saved.photos) == ((), 0)


def test_empty_batch_is_stored(images: DeltaBatches) -> None:
    images.save(batches({"000001": []}))
    images.save({"000001": fail_if_computed})
    assert images.load()["000001"]().count() == 0


def test_deltalake_polars_and_spark_read_the_same_rows(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a", "b!"], "000002": ["c"]}))
    images.save(batches({"000003": ["d"]}))
    by_delta = DeltaTable(images.filepath).to_pyarrow_table().sort_by("path")
    by_polars = pl.read_delta(images.filepath).sort("path")
    by_spark = DeltaSpark(filepath=images.filepath, table="images").load()
    assert by_delta["photo_id"].to_pylist() == ["a", "b!", "c", "d"]
    assert by_polars.to_dicts() == by_delta.to_pylist()
    spark_rows = by_spark.orderBy("path").toArrow().to_pylist()
    for one in spark_rows:  # Spark returns bytearray
        assert one == by_delta.to_pylist()[spark_rows.index(one)]


def test_each_part_becomes_one_file(images: DeltaBatches) -> None:
    ids = [str(i) for i in range(12)]
    images.save(batch_of_parts(ids, schemas.IMAGES))
    assert [file.rows for file in log_of(images).files] == [1] * 12
    rows = images.load()["000001"]().collect()
    assert {r.photo_id for r in rows} == {*ids}


def test_rows_of_an_ordinary_dataframe_are_stored(images: DeltaBatches) -> None:
    rows = frame([photo_row(name) for name in "abc"], schemas.IMAGES)
    images.save({"000001": lambda: rows.where("photo_id != 'b'")})
    assert stored_ids(images) == {"000001": ["a", "c"]}


def failing_step(_: Rows) -> Rows:
    raise ValueError("a failing step")


def test_failed_batch_is_not_stored(images: DeltaBatches) -> None:
    def failing_batch() -> DataFrame:
        tables = [arrow_table([photo_row(name)], schemas.IMAGES) for name in "bc"]
        rows = from_tables(tables, schemas.IMAGES)
        return map_arrow(rows, failing_step, schemas.IMAGES)

    with pytest.raises(DatasetError, match="a failing step"):
        images.save({**batches({"000001": ["a"]}), "000002": failing_batch})
    assert "000002" not in (images.load() if images.exists() else {})
    images.save(batches({"000001": ["a"], "000002": ["b", "c"]}))
    assert stored_ids(images) == {"000001": ["a"], "000002": ["b", "c"]}


@pytest.mark.parametrize(
    "name",
    ["my images", "50% of it", "pommes d'été", "a+b&c=1", "[2026] {a,b}*", "a#b?"],
)
def test_table_path_may_contain_special_characters(tmp_path: Path, name: str) -> None:
    table = DeltaBatches(filepath=str(tmp_path / name / "images"), table="images")
    table.save(batches({"000001": ["a"]}))
    table.save(batches({"000002": ["b"]}))
    rows = DeltaSpark(filepath=table.filepath, table="images").load()
    assert {(r.batch, r.photo_id) for r in rows.collect()} == {
        ("000001", "a"),
        ("000002", "b"),
    }
    assert (tmp_path / name / "images/_delta_log").is_dir()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a%20b", "percent sign with two hexadecimal digits"),
        ("a\\b", "backslash or control character"),
        ("a\nb", "backslash or control character"),
        ("a\x7fb", "backslash or control character"),
    ],
)
def test_path_that_delta_lake_would_decode_is_refused(
    tmp_path: Path, name: str, problem: str
) -> None:
    table = DeltaBatches(filepath=f"{tmp_path}/{name}/images", table="images")
    with pytest.raises(DatasetError, match=problem):
        table.save(batches({"000001": ["a"]}))
    assert not (tmp_path / name).exists()


# The table `photos`, which has no upstream table


def test_new_row_replaces_the_older_row_of_its_path(photos: DeltaBatches) -> None:
    photos.save(batches({"000001": ["a", "b"], "000002": ["c", "d"]}, schemas.PHOTOS))
    photos.save(batches({"000003": ["b*", "e", "c*"]}, schemas.PHOTOS))
    assert stored_ids(photos) == {
        "000001": ["a"],
        "000002": ["d"],
        "000003": ["b*", "c*", "e"],
    }


def test_every_version_has_one_row_per_path(photos: DeltaBatches) -> None:
    photos.save(batches({"000001": ["a", "b"]}, schemas.PHOTOS))
    photos.save(batches({"000002": ["b*"]}, schemas.PHOTOS))
    table = DeltaTable(photos.filepath)
    for version in range(1, table.version() + 1):
        table.load_as_version(version)
        # From the log, because the files of old versions are deleted.
        files = pa.table(table.get_add_actions(flatten=True)).to_pylist()
        paths = [
            path for file in files for path in {file["min.path"], file["max.path"]}
        ]
        assert sum(file["num_records"] for file in files) == 2, version
        assert sorted(paths) == ["Test/Kiwi/a", "Test/Kiwi/b"], version


def test_batch_without_remaining_rows_keeps_its_number(photos: DeltaBatches) -> None:
    photos.save(batches({"000001": ["a"], "000002": ["b"]}, schemas.PHOTOS))
    photos.save(batches({"000003": ["b*"]}, schemas.PHOTOS))
    assert stored_ids(photos) == {"000001": ["a"], "000003": ["b*"]}
    assert log_of(photos).last_batch == 3


def test_files_of_replaced_rows_are_deleted(photos: DeltaBatches) -> None:
    photos.save(batches({"000001": ["a", "b"]}, schemas.PHOTOS))
    (old,) = data_files(photos, "000001")
    photos.save(batches({"000002": ["b*"]}, schemas.PHOTOS))
    assert not old.exists()
    assert len(data_files(photos)) == 2


def test_batch_of_vanished_photos_is_not_stored(photos: DeltaBatches) -> None:
    photos.save(batches({"000001": ["a"], "000002": []}, schemas.PHOTOS))
    assert photos.saved.batches == ("000001",)
    assert [*photos.load()] == ["000001"]
