import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from delta_batches import batch_of_parts, batches, log_of, stored_ids
from deltalake import DeltaTable

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaBatches
from fruits_pipeline.lineage import Lineage

pytestmark = pytest.mark.usefixtures("spark")

Save = Callable[[], None]


def test_changed_photo_has_one_row_downstream(
    photos: DeltaBatches, images: DeltaBatches, save_images: Save
) -> None:
    photos.save(batches({"000001": ["a", "b"], "000002": ["c"]}, schemas.PHOTOS))
    save_images()
    photos.save(batches({"000003": ["b*", "c*", "d"]}, schemas.PHOTOS))
    save_images()
    expected = {"000001": ["a"], "000003": ["b*", "c*", "d"]}
    assert stored_ids(images) == stored_ids(photos) == expected
    assert images.saved.batches == ("000003",)


def test_photo_that_becomes_unreadable_has_no_row_after_images(
    photos: DeltaBatches,
    images: DeltaBatches,
    features: DeltaBatches,
    moments: DeltaBatches,
    save_all: Save,
) -> None:
    photos.save(batches({"000001": ["a", "b"], "000002": ["c"]}, schemas.PHOTOS))
    save_all()
    photos.save(batches({"000003": ["b!", "d"]}, schemas.PHOTOS))
    save_all()
    rest = {"000001": ["a"], "000002": ["c"]}
    assert stored_ids(images) == {**rest, "000003": ["b!", "d"]}
    assert stored_ids(features) == {**rest, "000003": ["d"]}
    assert moments.saved.batches == ("000001", "000003")
    rows = DeltaTable(moments.filepath).to_pyarrow_table().sort_by("batch")
    assert rows["batch"].to_pylist() == ["000001", "000002", "000003"]
    assert rows["n"].to_pylist() == [1, 1, 1]


def test_moments_do_not_count_unreadable_photos(
    photos: DeltaBatches, moments: DeltaBatches, save_all: Save
) -> None:
    photos.save(batches({"000001": ["a"], "000002": ["c", "d"]}, schemas.PHOTOS))
    save_all()
    photos.save(batches({"000003": ["c*", "d!"]}, schemas.PHOTOS))
    save_all()
    rows = DeltaTable(moments.filepath).to_pyarrow_table().sort_by("batch")
    assert [n for n in rows["n"].to_pylist() if n] == [1, 1]


def test_rows_deleted_by_another_program_are_computed_again(
    photos: DeltaBatches, images: DeltaBatches, save_images: Save
) -> None:
    photos.save(batches({"000001": ["a", "b"], "000002": ["c"]}, schemas.PHOTOS))
    save_images()
    DeltaTable(images.filepath).delete("photo_id = 'b'")
    save_images()
    assert stored_ids(images) == {"000001": ["a", "b"], "000002": ["c"]}
    assert images.saved.batches == ("000001",)


def test_row_deleted_by_another_program_is_restored_when_another_row_changes(
    photos: DeltaBatches, images: DeltaBatches, save_images: Save
) -> None:
    photos.save(batches({"000001": ["a", "b"]}, schemas.PHOTOS))
    save_images()
    DeltaTable(images.filepath).delete("photo_id = 'b'")
    photos.save(batches({"000002": ["a*"]}, schemas.PHOTOS))
    save_images()
    assert stored_ids(images) == {"000001": ["b"], "000002": ["a*"]}


def test_number_of_a_deleted_upstream_batch_is_not_used_again(
    photos: DeltaBatches, images: DeltaBatches, save_images: Save
) -> None:
    photos.save(batches({"000001": ["a"], "000002": ["b", "c"]}, schemas.PHOTOS))
    save_images()
    DeltaTable(photos.filepath).delete("batch = '000002'")
    assert log_of(photos).last_batch == 2
    photos.save(batches({"000003": ["b", "d"]}, schemas.PHOTOS))
    save_images()
    assert stored_ids(images) == {"000001": ["a"], "000003": ["b", "d"]}


def test_commit_records_the_upstream_version(
    photos: DeltaBatches, images: DeltaBatches, save_images: Save
) -> None:
    photos.save(batches({"000001": ["a"]}, schemas.PHOTOS))
    save_images()
    (newest,) = DeltaTable(images.filepath).history(1)
    upstream = DeltaTable(photos.filepath)
    assert newest["upstream"] == f"{upstream.metadata().id} {upstream.version()}"


def test_rebuilt_upstream_table_rebuilds_the_table(
    photos: DeltaBatches, images: DeltaBatches, save_images: Save
) -> None:
    photos.save(batches({"000001": ["a", "b"]}, schemas.PHOTOS))
    save_images()
    first_id = images.build_id()
    photos.lineage = Lineage({"preprocess.short_side": 64})
    photos.save(batches({"000001": ["c"]}, schemas.PHOTOS))
    save_images()
    assert stored_ids(images) == {"000001": ["c"]}
    assert images.build_id() != first_id


def test_upstream_batch_with_other_photos_is_detected(
    photos: DeltaBatches, images: DeltaBatches, save_images: Save, tmp_path: Path
) -> None:
    photos.save(batches({"000001": ["a"]}, schemas.PHOTOS))
    shutil.copytree(photos.filepath, tmp_path / "copy")
    photos.save(batches({"000002": ["c", "d"]}, schemas.PHOTOS))
    save_images()
    shutil.rmtree(photos.filepath)
    shutil.copytree(tmp_path / "copy", photos.filepath)
    photos.save(batches({"000002": ["bb", "c"]}, schemas.PHOTOS))
    save_images()
    assert stored_ids(images) == {"000001": ["a"], "000002": ["bb", "c"]}


def test_compacted_tables_are_not_computed_again(
    photos: DeltaBatches, images: DeltaBatches, save_images: Save
) -> None:
    photos.save(batch_of_parts("ab", schemas.PHOTOS))
    save_images()
    for table in (photos, images):
        DeltaTable(table.filepath).optimize.compact()
    save_images()
    assert images.saved.batches == ()
    photos.save(batches({"000002": ["b*"]}, schemas.PHOTOS))
    save_images()
    expected = {"000001": ["a"], "000002": ["b*"]}
    assert stored_ids(images) == stored_ids(photos) == expected
    assert images.load()["000001"]().count() == 1
