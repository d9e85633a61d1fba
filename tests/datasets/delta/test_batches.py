import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from factories import fingerprints, frame, key_of, table_of
from kedro.io import DatasetError
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaBatches, DeltaSpark
from fruits_pipeline.datasets.delta.opening import create_log, open_log
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import Lineage
from fruits_pipeline.spark.arrow import measure
from fruits_pipeline.spark.frames import Batches, from_tables, map_arrow, per_batch
from fruits_pipeline.spark.parts import Rows

pytestmark = pytest.mark.usefixtures("spark")

RECIPE = {"preprocess.short_side": 256}
OTHER = {"preprocess.short_side": 64}
Photos = Mapping[str, Sequence[str]]
"""Names of photos by batch. `name!` has an error, `name*` is another version of it."""


def row(name: str) -> dict[str, Any]:
    """Return a row of any table."""
    plain = name.rstrip("!*")
    return {
        **key_of(f"Test/Kiwi/{plain}"),
        "photo_id": name,
        "content": name.encode(),
        "error": "broken" if name.endswith("!") else None,
        "features": [1.0, float(len(plain))],
    }


def batches(photos: Photos, schema: pa.Schema = schemas.IMAGES) -> Batches:
    """Return batches of one task each."""

    def load(names: Sequence[str]) -> Callable[[], DataFrame]:
        return lambda: from_tables([table_of([*map(row, names)], schema)], schema)

    return {batch: load(names) for batch, names in photos.items()}


def unread() -> DataFrame:
    raise AssertionError("a stored batch was computed again")


@pytest.fixture
def images(tmp_path: Path) -> DeltaBatches:
    return DeltaBatches(filepath=str(tmp_path / "images"), table="images")


def folder(table: DeltaBatches) -> Path:
    return Path(table.filepath)


def names(table: DeltaBatches) -> dict[str, list[str]]:
    """Return what another reader finds: `photo_id` by batch."""
    rows = DeltaTable(table.filepath).to_pyarrow_table().to_pylist()
    found: dict[str, list[str]] = {one["batch"]: [] for one in rows}
    for one in rows:
        found[one["batch"]].append(one["photo_id"])
    return {batch: sorted(ids) for batch, ids in sorted(found.items())}


def test_batches_come_back_by_name(images: DeltaBatches) -> None:
    assert not images.exists()
    images.save(batches({"000001": ["a", "b"], "000012": ["c"]}))
    loaded = images.load()
    assert [*loaded] == ["000001", "000012"]
    assert {r.photo_id for r in loaded["000001"]().collect()} == {"a", "b"}
    assert images.exists()


def test_a_batch_of_another_name_is_an_error(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    with pytest.raises(KeyError):
        images.load()["000002"]()


def test_a_table_that_does_not_exist_cannot_be_loaded(images: DeltaBatches) -> None:
    with pytest.raises(DatasetError, match="Found no table in .*images; expected one"):
        images.load()


def test_only_missing_batches_are_computed(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    before = fingerprints(folder(images))
    images.save({"000001": unread, **batches({"000002": ["b", "c"]})})
    assert (images.written, images.photos_written) == (("000002",), 2)
    after = fingerprints(folder(images))
    assert {name: after[name] for name in before} == before
    assert names(images) == {"000001": ["a"], "000002": ["b", "c"]}


def test_nothing_is_written_if_nothing_is_new(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    before = fingerprints(folder(images))
    images.save({"000001": unread})
    assert fingerprints(folder(images)) == before
    assert (images.written, images.photos_written) == ((), 0)


def test_a_batch_without_rows_is_stored(images: DeltaBatches) -> None:
    images.save(batches({"000001": []}))
    images.save({"000001": unread})
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


def test_every_part_is_a_file_in_order(images: DeltaBatches) -> None:
    tables = [table_of([row(str(i))], schemas.IMAGES) for i in range(12)]
    images.save({"000001": lambda: from_tables(tables, schemas.IMAGES)})
    log = open_log(images.filepath)
    assert log is not None
    assert [file.rows for file in log.files] == [1] * 12
    rows = images.load()["000001"]().collect()
    assert {r.photo_id for r in rows} == {str(i) for i in range(12)}


def test_rows_of_an_ordinary_dataframe_are_stored(images: DeltaBatches) -> None:
    rows = frame([row("a"), row("b"), row("c")], schemas.IMAGES)
    images.save({"000001": lambda: rows.where("photo_id != 'b'")})
    assert names(images) == {"000001": ["a", "c"]}


def broken(_: Rows) -> Rows:
    raise ValueError("a broken step")


def test_a_batch_that_fails_is_not_there(images: DeltaBatches) -> None:
    def failing() -> DataFrame:
        tables = [table_of([row(name)], schemas.IMAGES) for name in "bc"]
        return map_arrow(from_tables(tables, schemas.IMAGES), broken, schemas.IMAGES)

    with pytest.raises(DatasetError, match="a broken step"):
        images.save({**batches({"000001": ["a"]}), "000002": failing})
    assert "000002" not in (images.load() if images.exists() else {})
    images.save(batches({"000001": ["a"], "000002": ["b", "c"]}))
    assert names(images) == {"000001": ["a"], "000002": ["b", "c"]}


@pytest.mark.parametrize(
    "name",
    ["my images", "50% of it", "pommes d'été", "a+b&c=1", "[2026] {a,b}*", "a#b?"],
)
def test_a_table_may_have_any_name(tmp_path: Path, name: str) -> None:
    table = DeltaBatches(filepath=str(tmp_path / name / "images"), table="images")
    table.save(batches({"000001": ["a"]}))
    table.save(batches({"000002": ["b"]}))
    rows = DeltaSpark(filepath=table.filepath, table="images").load()
    assert {(r.batch, r.photo_id) for r in rows.collect()} == {
        ("000001", "a"),
        ("000002", "b"),
    }
    assert (tmp_path / name / "images/_delta_log").is_dir()


# A table without a table upstream: the photos.


@pytest.fixture
def photos(tmp_path: Path) -> DeltaBatches:
    return DeltaBatches(filepath=str(tmp_path / "photos"), table="photos")


def test_a_new_row_replaces_the_older_one_of_its_path(photos: DeltaBatches) -> None:
    photos.save(batches({"000001": ["a", "b"], "000002": ["c", "d"]}, schemas.PHOTOS))
    photos.save(batches({"000003": ["b*", "e", "c*"]}, schemas.PHOTOS))
    assert names(photos) == {
        "000001": ["a"],
        "000002": ["d"],
        "000003": ["b*", "c*", "e"],
    }


def test_old_and_new_version_are_never_both_there_or_both_missing(
    photos: DeltaBatches,
) -> None:
    photos.save(batches({"000001": ["a", "b"]}, schemas.PHOTOS))
    photos.save(batches({"000002": ["b*"]}, schemas.PHOTOS))
    newest = DeltaTable(photos.filepath)
    for version in range(1, newest.version() + 1):
        newest.load_as_version(version)
        paths = [row["path"] for row in _listed(newest)]
        assert len(paths) == len(set(paths)) == (2 if version >= 1 else 0), version


def _listed(table: DeltaTable) -> list[dict[str, Any]]:
    """Return `path` of all rows, from the statistics where files are gone."""
    actions = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return [
        {"path": f"{action['path']} {i}"}
        for action in actions
        for i in range(action["num_records"])
    ]


def test_a_batch_whose_photos_are_all_replaced_keeps_its_number(
    photos: DeltaBatches,
) -> None:
    photos.save(batches({"000001": ["a"], "000002": ["b"]}, schemas.PHOTOS))
    photos.save(batches({"000003": ["b*"]}, schemas.PHOTOS))
    assert names(photos) == {"000001": ["a"], "000003": ["b*"]}
    log = open_log(photos.filepath)
    assert log is not None
    assert log.last_batch == 3


def test_files_of_replaced_rows_are_deleted(photos: DeltaBatches) -> None:
    photos.save(batches({"000001": ["a", "b"]}, schemas.PHOTOS))
    (old,) = folder(photos).glob("batch=000001/*.parquet")
    photos.save(batches({"000002": ["b*"]}, schemas.PHOTOS))
    assert not old.exists()
    assert len([*folder(photos).rglob("batch=*/*.parquet")]) == 2


# A table follows its upstream table.


@pytest.fixture
def following(photos: DeltaBatches, images: DeltaBatches) -> Callable[[], None]:
    """Save `images` from `photos`, as a run does."""
    images.lineage = Lineage({}, (photos,))

    def save() -> None:
        images.save(
            {
                name: lambda load=load: map_arrow(load(), _decode, schemas.IMAGES)
                for name, load in photos.load().items()
            }
        )

    return save


@pytest.fixture
def features(images: DeltaBatches, tmp_path: Path) -> DeltaBatches:
    table = DeltaBatches(filepath=str(tmp_path / "features"), table="features")
    table.lineage = Lineage({}, (images,))
    return table


@pytest.fixture
def moments(features: DeltaBatches, tmp_path: Path) -> DeltaBatches:
    table = DeltaBatches(filepath=str(tmp_path / "moments"), table="moments")
    table.lineage = Lineage({}, (features,))
    return table


@pytest.fixture
def run(
    images: DeltaBatches,
    features: DeltaBatches,
    moments: DeltaBatches,
    following: Callable[[], None],
) -> Callable[[], None]:
    """Save `images`, `features` and `moments`, as a run does."""

    def save() -> None:
        following()
        features.save(per_batch(_embed)(images.load()))
        moments.save(per_batch(_measure)(features.load()))

    return save


def _decode(rows: Rows) -> Rows:
    for batch in rows:
        made = [row(name) for name in batch["photo_id"].to_pylist()]
        (table,) = table_of(made, schemas.IMAGES).to_batches() or [
            pa.RecordBatch.from_pylist([], schemas.IMAGES)
        ]
        yield table


def test_a_changed_photo_has_one_row_downstream(
    photos: DeltaBatches, images: DeltaBatches, following: Callable[[], None]
) -> None:
    photos.save(batches({"000001": ["a", "b"], "000002": ["c"]}, schemas.PHOTOS))
    following()
    photos.save(batches({"000003": ["b*", "c*", "d"]}, schemas.PHOTOS))
    following()
    expected = {"000001": ["a"], "000003": ["b*", "c*", "d"]}
    assert names(images) == names(photos) == expected
    assert images.written == ("000003",)


def test_a_photo_that_is_broken_now_has_no_row_behind_images(
    photos: DeltaBatches,
    images: DeltaBatches,
    features: DeltaBatches,
    moments: DeltaBatches,
    run: Callable[[], None],
) -> None:
    photos.save(batches({"000001": ["a", "b"], "000002": ["c"]}, schemas.PHOTOS))
    run()
    photos.save(batches({"000003": ["b!", "d"]}, schemas.PHOTOS))
    run()
    assert names(images) == {"000001": ["a"], "000002": ["c"], "000003": ["b!", "d"]}
    assert names(features) == {"000001": ["a"], "000002": ["c"], "000003": ["d"]}
    assert moments.written == ("000001", "000003")
    rows = DeltaTable(moments.filepath).to_pyarrow_table().sort_by("batch")
    assert rows["batch"].to_pylist() == ["000001", "000002", "000003"]
    assert rows["n"].to_pylist() == [1, 1, 1]


def _embed(images: DataFrame) -> DataFrame:
    return map_arrow(images, _vectors, schemas.FEATURES)


def _vectors(rows: Rows) -> Rows:
    for batch in rows:
        good = batch.filter(batch["error"].is_null())
        made = [row(name) for name in good["photo_id"].to_pylist()]
        full = [{n: r[n] for n in schemas.FEATURES.names} for r in made]
        yield pa.RecordBatch.from_pylist(full, schemas.FEATURES)


def _measure(features: DataFrame) -> DataFrame:
    return map_arrow(features, measure, schemas.MOMENTS)


def test_rows_that_somebody_deleted_are_computed_again(
    photos: DeltaBatches, images: DeltaBatches, following: Callable[[], None]
) -> None:
    photos.save(batches({"000001": ["a", "b"], "000002": ["c"]}, schemas.PHOTOS))
    following()
    DeltaTable(images.filepath).delete("photo_id = 'b'")
    following()
    assert names(images) == {"000001": ["a", "b"], "000002": ["c"]}
    assert images.written == ("000001",)


def test_a_lost_batch_upstream_is_not_confused_with_its_successor(
    photos: DeltaBatches, images: DeltaBatches, following: Callable[[], None]
) -> None:
    photos.save(batches({"000001": ["a"], "000002": ["b", "c"]}, schemas.PHOTOS))
    following()
    DeltaTable(photos.filepath).delete("batch = '000002'")
    log = open_log(photos.filepath)
    assert log is not None
    assert log.last_batch == 2
    photos.save(batches({"000003": ["b", "d"]}, schemas.PHOTOS))
    following()
    assert names(images) == {"000001": ["a"], "000003": ["b", "d"]}


def test_a_commit_records_the_version_upstream(
    photos: DeltaBatches, images: DeltaBatches, following: Callable[[], None]
) -> None:
    photos.save(batches({"000001": ["a"]}, schemas.PHOTOS))
    following()
    (newest,) = DeltaTable(images.filepath).history(1)
    upstream = DeltaTable(photos.filepath)
    assert newest["upstream"] == f"{upstream.metadata().id} {upstream.version()}"


def test_another_table_upstream_rebuilds_the_table(
    photos: DeltaBatches, images: DeltaBatches, following: Callable[[], None]
) -> None:
    photos.save(batches({"000001": ["a", "b"]}, schemas.PHOTOS))
    following()
    first = images.identity()
    photos.lineage = Lineage(OTHER)
    photos.save(batches({"000001": ["c"]}, schemas.PHOTOS))
    following()
    assert names(images) == {"000001": ["c"]}
    assert images.identity() != first


def test_moments_of_a_batch_without_photos_count_none(
    photos: DeltaBatches, moments: DeltaBatches, run: Callable[[], None]
) -> None:
    photos.save(batches({"000001": ["a"], "000002": ["c", "d"]}, schemas.PHOTOS))
    run()
    photos.save(batches({"000003": ["c*", "d!"]}, schemas.PHOTOS))
    run()
    rows = DeltaTable(moments.filepath).to_pyarrow_table().sort_by("batch")
    assert [n for n in rows["n"].to_pylist() if n] == [1, 1]


def test_batches_of_as_many_other_photos_are_told_apart(
    photos: DeltaBatches,
    images: DeltaBatches,
    following: Callable[[], None],
    tmp_path: Path,
) -> None:
    photos.save(batches({"000001": ["a"]}, schemas.PHOTOS))
    shutil.copytree(photos.filepath, tmp_path / "copy")
    photos.save(batches({"000002": ["c", "d"]}, schemas.PHOTOS))
    following()
    shutil.rmtree(photos.filepath)
    shutil.copytree(tmp_path / "copy", photos.filepath)
    photos.save(batches({"000002": ["bb", "c"]}, schemas.PHOTOS))
    following()
    assert names(images) == {"000001": ["a"], "000002": ["bb", "c"]}


def test_a_row_that_somebody_deleted_beside_a_replaced_one(
    photos: DeltaBatches, images: DeltaBatches, following: Callable[[], None]
) -> None:
    photos.save(batches({"000001": ["a", "b"]}, schemas.PHOTOS))
    following()
    DeltaTable(images.filepath).delete("photo_id = 'b'")
    photos.save(batches({"000002": ["a*"]}, schemas.PHOTOS))
    following()
    assert names(images) == {"000001": ["b"], "000002": ["a*"]}


def test_a_table_that_others_have_compacted_goes_on(
    photos: DeltaBatches, images: DeltaBatches, following: Callable[[], None]
) -> None:
    tables = [table_of([row(name)], schemas.PHOTOS) for name in "ab"]
    photos.save({"000001": lambda: from_tables(tables, schemas.PHOTOS)})
    following()
    for table in (photos, images):
        DeltaTable(table.filepath).optimize.compact()
    following()
    assert images.written == ()
    photos.save(batches({"000002": ["b*"]}, schemas.PHOTOS))
    following()
    assert names(images) == names(photos) == {"000001": ["a"], "000002": ["b*"]}
    assert images.load()["000001"]().count() == 1


def test_a_table_upstream_that_was_rebuilt_meanwhile_stops_the_run(
    photos: DeltaBatches, images: DeltaBatches, following: Callable[[], None]
) -> None:
    photos.save(batches({"000001": ["a"]}, schemas.PHOTOS))
    photos.load()
    other = DeltaBatches(filepath=photos.filepath, table="photos")
    other.lineage = Lineage(OTHER)
    other.save(batches({"000001": ["b"]}, schemas.PHOTOS))
    images.lineage = Lineage({}, (photos,))
    with pytest.raises(DatasetError, match="another run has begun to write"):
        images.save(batches({"000001": ["a"]}))


def test_a_batch_whose_photos_have_all_vanished_is_not_stored(
    photos: DeltaBatches,
) -> None:
    photos.save(batches({"000001": ["a"], "000002": []}, schemas.PHOTOS))
    assert photos.written == ("000001",)
    assert [*photos.load()] == ["000001"]


def test_a_number_that_another_run_has_taken_stops_the_run(
    photos: DeltaBatches,
) -> None:
    photos.save(batches({"000001": ["a"]}, schemas.PHOTOS))
    with pytest.raises(DatasetError, match="another run has begun to write"):
        photos.save(batches({"000001": ["a", "b"]}, schemas.PHOTOS))
    assert names(photos) == {"000001": ["a"]}


# Recipes.


def test_the_same_recipe_is_accepted(images: DeltaBatches) -> None:
    images.prepare(Lineage(RECIPE))
    images.save(batches({"000001": ["a"]}))
    images.prepare(Lineage(RECIPE))
    assert images.recipe() == RECIPE


def test_another_recipe_is_refused_before_anything_changes(
    images: DeltaBatches,
) -> None:
    images.prepare(Lineage(RECIPE))
    images.save(batches({"000001": ["a"]}))
    before = fingerprints(folder(images))
    with pytest.raises(FruitsError, match=r"preprocess.short_side was 256, is 64"):
        images.prepare(Lineage(OTHER))
    assert fingerprints(folder(images)) == before


def test_a_rebuild_replaces_all_rows_and_deletes_their_files(tmp_path: Path) -> None:
    images = DeltaBatches(
        filepath=str(tmp_path / "images"), table="images", changed_recipe="rebuild"
    )
    images.prepare(Lineage(RECIPE))
    images.save(batches({"000001": ["a"], "000002": ["b"]}))
    images.prepare(Lineage(OTHER))
    images.save(batches({"000001": ["c"]}))
    assert names(images) == {"000001": ["c"]}
    assert images.recipe() == OTHER
    assert len([*folder(images).rglob("batch=*/*.parquet")]) == 1


def test_photos_that_moved_keep_their_rows(tmp_path: Path) -> None:
    images = DeltaBatches(
        filepath=str(tmp_path / "images"), table="images", changed_location="accept"
    )
    images.prepare(Lineage({"photos": "old"}))
    images.save(batches({"000001": ["a"]}))
    first = images.identity()
    images.prepare(Lineage({"photos": "new"}))
    images.save({"000001": unread})
    assert (images.recipe(), images.identity()) == ({"photos": "new"}, first)


# Damage, foreign files and other writers.


def test_a_folder_with_foreign_files_is_refused(images: DeltaBatches) -> None:
    folder(images).mkdir()
    (folder(images) / "notes.txt").write_text("mine")
    with pytest.raises(DatasetError, match="such as notes.txt, and no table"):
        images.save(batches({"000001": ["a"]}))
    assert (folder(images) / "notes.txt").read_text() == "mine"


def test_a_delta_table_of_others_is_refused(images: DeltaBatches) -> None:
    pl.DataFrame({"x": [1]}).write_delta(images.filepath)
    with pytest.raises(DatasetError, match="this project did not write"):
        images.save(batches({"000001": ["a"]}))


def test_a_copied_file_adds_no_rows_and_is_kept(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    (file,) = folder(images).glob("batch=000001/*.parquet")
    copy = file.with_name("part-00000 (copy).parquet")
    copy.write_bytes(file.read_bytes())
    images.save(batches({"000002": ["b"]}))
    assert names(images) == {"000001": ["a"], "000002": ["b"]}
    assert copy.exists()


@pytest.mark.parametrize("kept", [None, 0, 40], ids=["missing", "empty", "cut off"])
def test_a_damaged_file_is_named_with_its_batch_and_the_repair(
    images: DeltaBatches, kept: int | None
) -> None:
    images.save(batches({"000001": ["a"], "000002": ["b"]}))
    (file,) = folder(images).glob("batch=000002/*.parquet")
    content = file.read_bytes()
    file.unlink()
    if kept is not None:
        file.write_bytes(content[:kept])
    words = f"{file}.* batch 000002 of {images.filepath}.*damaged_batches=recompute"
    with pytest.raises(DatasetError, match=words):
        images.load()

    repair = DeltaBatches(
        filepath=images.filepath, table="images", damaged_batches="recompute"
    )
    repair.prepare(Lineage())
    repair.save({"000001": unread, **batches({"000002": ["b"]})})
    assert repair.written == ("000002",)
    assert names(images) == {"000001": ["a"], "000002": ["b"]}


def test_a_flipped_byte_is_an_error_that_names_the_file(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    (file,) = folder(images).glob("batch=000001/*.parquet")
    column = pq.ParquetFile(file).metadata.row_group(0).column(1)
    content = bytearray(file.read_bytes())
    content[column.data_page_offset + column.total_compressed_size - 3] ^= 1
    file.write_bytes(content)
    with pytest.raises(Exception, match=f"Found {file} unreadable"):
        images.load()["000001"]().collect()


def test_a_flipped_bit_is_repaired_on_request(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"], "000002": ["b"]}))
    (file,) = folder(images).glob("batch=000002/*.parquet")
    column = pq.ParquetFile(file).metadata.row_group(0).column(1)
    content = bytearray(file.read_bytes())
    content[column.data_page_offset + column.total_compressed_size - 3] ^= 1
    file.write_bytes(content)
    repair = DeltaBatches(
        filepath=images.filepath, table="images", damaged_batches="recompute"
    )
    repair.prepare(Lineage())
    repair.save({"000001": unread, **batches({"000002": ["b"]})})
    assert repair.written == ("000002",)
    assert names(images) == {"000001": ["a"], "000002": ["b"]}


def test_intact_files_of_photos_stay_when_others_are_damaged(tmp_path: Path) -> None:
    photos = DeltaBatches(
        filepath=f"{tmp_path}/photos", table="photos", damaged_batches="recompute"
    )
    tables = [table_of([row(name)], schemas.PHOTOS) for name in "ab"]
    photos.save({"000001": lambda: from_tables(tables, schemas.PHOTOS)})
    sorted(folder(photos).glob("batch=000001/*.parquet"))[0].unlink()
    photos.prepare(Lineage())
    assert names(photos) == {"000001": ["b"]}


def test_a_copied_folder_of_a_batch_adds_no_rows(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    batch = folder(images) / "batch=000001"
    for name in ("batch=000001 (copy)", "old/batch=000001"):
        shutil.copytree(batch, folder(images) / name)
    rows = DeltaSpark(filepath=images.filepath, table="images").load()
    assert [(r.batch, r.photo_id) for r in rows.collect()] == [("000001", "a")]


def test_a_path_that_delta_would_decode_is_refused(tmp_path: Path) -> None:
    table = DeltaBatches(filepath=f"{tmp_path}/a%20b/images", table="images")
    with pytest.raises(DatasetError, match="percent sign with two hexadecimal digits"):
        table.save(batches({"000001": ["a"]}))
    assert not (tmp_path / "a%20b").exists()


def test_a_run_that_was_overtaken_stops_and_loses_nothing(
    images: DeltaBatches,
) -> None:
    images.save(batches({"000001": ["a"]}))
    other = DeltaBatches(filepath=images.filepath, table="images")

    def overtaken() -> DataFrame:
        other.save({"000001": unread, **batches({"000002": ["b"]})})
        return batches({"000002": ["b"]})["000002"]()

    with pytest.raises(DatasetError, match="another run has begun to write"):
        images.save({"000001": unread, "000002": overtaken})
    assert names(images) == {"000001": ["a"], "000002": ["b"]}
    images.save({"000001": unread, "000002": unread, **batches({"000003": ["c"]})})
    assert names(images) == {"000001": ["a"], "000002": ["b"], "000003": ["c"]}


def test_the_recipe_is_in_the_properties_of_the_table(tmp_path: Path) -> None:
    place = str(tmp_path / "images")
    create_log(place, schemas.IMAGES, RECIPE, ["identity"])
    properties = DeltaTable(place).metadata().configuration
    assert properties["fruits.recipe"] == '{"preprocess.short_side": 256}'
    assert properties["fruits.origin"] == '["identity"]'


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff"])
def test_a_damaged_log_is_an_error_that_says_what_to_do(
    images: DeltaBatches, content: bytes
) -> None:
    images.save(batches({"000001": ["a"]}))
    for commit in folder(images).glob("_delta_log/*.json"):
        commit.write_bytes(content)
    with pytest.raises(
        FruitsError, match=r"_delta_log unusable .* run again: its rows"
    ):
        images.prepare(Lineage())
