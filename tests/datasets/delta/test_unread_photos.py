"""Photos that could not be read: rows of `photos` with an error and without content."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from delta_batches import batches, data_files, log_of, stored_ids
from deltalake import DeltaTable
from kedro.io.core import DatasetError

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaBatches, DeltaListing, DeltaSpark
from fruits_pipeline.datasets.delta import saving
from fruits_pipeline.lineage import Lineage

pytestmark = pytest.mark.usefixtures("spark")

Save = Callable[[], None]
OLD_SCHEMA = pa.schema([field for field in schemas.PHOTOS if field.name != "error"])
"""Schema of version 0.2.0."""


def test_unread_photo_has_a_row_in_images_and_no_features(
    photos: DeltaBatches,
    images: DeltaBatches,
    features: DeltaBatches,
    save_all: Save,
) -> None:
    photos.save(batches({"000001": ["a", "b!"], "000002": ["c"]}, schemas.PHOTOS))
    save_all()
    expected = {"000001": ["a", "b!"], "000002": ["c"]}
    assert stored_ids(images) == stored_ids(photos) == expected
    assert stored_ids(features) == {"000001": ["a"], "000002": ["c"]}
    save_all()
    assert images.saved.batches == features.saved.batches == ()


def test_photo_that_can_be_read_again_replaces_its_error(
    photos: DeltaBatches,
    images: DeltaBatches,
    features: DeltaBatches,
    save_all: Save,
) -> None:
    photos.save(batches({"000001": ["a", "b!"]}, schemas.PHOTOS))
    save_all()
    photos.save(batches({"000002": ["b"]}, schemas.PHOTOS))
    save_all()
    for table in (photos, images, features):
        assert stored_ids(table) == {"000001": ["a"], "000002": ["b"]}


def test_photo_that_can_not_be_read_any_more_replaces_its_row(
    photos: DeltaBatches, images: DeltaBatches, save_images: Save
) -> None:
    photos.save(batches({"000001": ["a", "b"]}, schemas.PHOTOS))
    save_images()
    photos.save(batches({"000002": ["b!"]}, schemas.PHOTOS))
    save_images()
    assert stored_ids(photos) == {"000001": ["a"], "000002": ["b!"]}
    assert stored_ids(images) == {"000001": ["a"], "000002": ["b!"]}


def test_repeated_errors_are_not_saved_again(photos: DeltaBatches) -> None:
    photos.save(batches({"000001": ["a", "b!", "c!"]}, schemas.PHOTOS))
    version = log_of(photos).version_id
    photos.save(batches({"000002": ["b!", "c!"]}, schemas.PHOTOS))
    assert photos.saved.batches == ()
    assert stored_ids(photos) == {"000001": ["a", "b!", "c!"]}
    assert log_of(photos).batches.keys() == {"000001"}
    assert log_of(photos).table_id == version.split()[0]


def test_new_errors_are_saved_with_repeated_ones(photos: DeltaBatches) -> None:
    photos.save(batches({"000001": ["a", "b!"]}, schemas.PHOTOS))
    photos.save(batches({"000002": ["b!", "c!"]}, schemas.PHOTOS))
    assert stored_ids(photos) == {"000001": ["a"], "000002": ["b!", "c!"]}


def test_batch_without_readable_photos_waits_for_another(photos: DeltaBatches) -> None:
    photos.save(
        batches({"000001": ["a!"], "000002": ["b!"], "000003": ["c"]}, schemas.PHOTOS)
    )
    assert stored_ids(photos) == {"000001": ["a!"], "000002": ["b!"], "000003": ["c"]}


@pytest.mark.parametrize("limit", [0, 10_000])
def test_no_readable_photo_is_an_error_with_an_example(
    photos: DeltaBatches, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "MAX_UNREADABLE", limit)
    new = batches({"000001": ["a!"], "000002": ["b!"]}, schemas.PHOTOS)
    with pytest.raises(DatasetError, match="Found no photo that can be read .*broken"):
        photos.save(new)
    assert not log_of(photos).batches


@pytest.fixture
def old_photos(photos: DeltaBatches) -> DeltaBatches:
    """Return a table that version 0.2.0 wrote."""
    photos.schema = OLD_SCHEMA
    photos.save(batches({"000001": ["a", "b"], "000002": ["c"]}, OLD_SCHEMA))
    assert "error" not in log_of(photos).columns
    return DeltaBatches(filepath=photos.filepath, table="photos")


def test_table_without_errors_can_be_read(
    old_photos: DeltaBatches, images: DeltaBatches, save_images: Save
) -> None:
    existing = DeltaListing(filepath=old_photos.filepath, table="photos").load()
    (rows,) = existing.runs.tables()
    assert len(rows) == 3
    assert 0 not in rows["id_hash"].to_pylist()
    frame = DeltaSpark(filepath=old_photos.filepath, table="photos").load()
    assert {(row.photo_id, row.error) for row in frame.collect()} == {
        ("a", None),
        ("b", None),
        ("c", None),
    }
    for batch in old_photos.load().values():
        assert batch().toArrow()["error"].null_count == batch().count()
    save_images()
    assert stored_ids(images) == stored_ids(old_photos)


def test_new_rows_are_added_to_a_table_without_errors(
    old_photos: DeltaBatches, images: DeltaBatches, save_images: Save
) -> None:
    save_images()
    old_photos.prepare(Lineage())
    old_photos.save(batches({"000003": ["b!", "d"]}, schemas.PHOTOS))
    expected = {"000001": ["a"], "000002": ["c"], "000003": ["b!", "d"]}
    assert stored_ids(old_photos) == expected
    stored = DeltaTable(old_photos.filepath).to_pyarrow_table()
    errors = dict(
        zip(stored["photo_id"].to_pylist(), stored["error"].to_pylist(), strict=True)
    )
    assert errors == {"a": None, "b!": "broken", "c": None, "d": None}
    existing = DeltaListing(filepath=old_photos.filepath, table="photos").load()
    (rows,) = existing.runs.tables()
    unread = [r["path"] for r in rows.to_pylist() if r["id_hash"] == 0]
    assert unread == ["Test/Kiwi/b"]
    save_images()
    assert stored_ids(images) == expected
    assert len(data_files(old_photos)) == 3


def test_preparing_a_current_table_changes_nothing(
    photos: DeltaBatches, tmp_path: Path
) -> None:
    photos.save(batches({"000001": ["a"]}, schemas.PHOTOS))
    version = log_of(photos).version_id
    photos.prepare(Lineage())
    assert log_of(photos).version_id == version
