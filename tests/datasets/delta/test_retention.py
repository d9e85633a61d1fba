import time
from collections.abc import Callable, Mapping, Sequence

import pytest
from delta_batches import data_files, log_of, photo_row, stored_ids
from deltalake import DeltaTable
from factories import arrow_table
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import ContentRetention, DeltaBatches, DeltaListing
from fruits_pipeline.datasets.delta.retention import (
    check_content,
    count_without_content,
    find_expired,
)
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import Lineage
from fruits_pipeline.parameters import RetentionParameters
from fruits_pipeline.spark.batches import Batches
from fruits_pipeline.spark.frames import from_tables

pytestmark = pytest.mark.usefixtures("spark")

Save = Callable[[], None]
NOW = 10**13  # milliseconds, in the year 2286


def ingested(photo_ids: Mapping[str, Sequence[str]]) -> Batches:
    """Return batches of `photos`; those with `!` were read, and cannot be decoded."""

    def loader(ids: Sequence[str]) -> Callable[[], DataFrame]:
        rows = [photo_row(photo_id) | {"error": None} for photo_id in ids]
        table = arrow_table(rows, schemas.PHOTOS)
        return lambda: from_tables([table], schemas.PHOTOS)

    return {name: loader(ids) for name, ids in photo_ids.items()}


@pytest.fixture
def retention(
    photos: DeltaBatches,
    images: DeltaBatches,
    features: DeltaBatches,
    save_all: Save,
) -> ContentRetention:
    """Two batches; `c!` is rejected. `features` also takes the place of `quality`."""
    photos.save(ingested({"000001": ["a", "b"], "000002": ["c!", "d"]}))
    save_all()
    tables = {"photos": photos.filepath, "images": images.filepath}
    dataset = ContentRetention(tables=tables)
    quality = DeltaBatches(filepath=features.filepath, table="quality")
    dataset.prepare(Lineage({}, (photos, images, features, quality)))
    return dataset


def logs_of(*tables: DeltaBatches) -> dict[str, object]:
    return {table.table: log_of(table) for table in tables}


def sizes(listing: DeltaListing) -> list[int]:
    tables = listing.load().runs.tables()
    return [size for rows in tables for size in rows["size_bytes"].to_pylist()]


def contents(table: DeltaBatches, column: str) -> dict[str, bytes | None]:
    rows = DeltaTable(table.filepath).to_pyarrow_table().to_pylist()
    return {row["photo_id"]: row[column] for row in rows}


def test_content_is_removed_in_one_commit_for_each_batch(
    retention: ContentRetention, photos: DeltaBatches, images: DeltaBatches
) -> None:
    before = {file.name for file in data_files(photos)}
    retention.save(RetentionParameters(content_days=0))
    assert contents(photos, "content") == {"a": None, "b": None, "c!": b"c!", "d": None}
    assert {*contents(images, "image").values()} == {None}
    assert stored_ids(photos) == {"000001": ["a", "b"], "000002": ["c!", "d"]}
    assert retention.load() == {"photos": 3, "images": 3}
    operations = [h.get("operation") for h in DeltaTable(photos.filepath).history()]
    assert len(operations) == 6  # create, two batches, claim, two batches
    assert not before & {file.name for file in data_files(photos)}
    version = log_of(photos).version
    retention.save(RetentionParameters(content_days=0))
    assert log_of(photos).version == version


def test_nothing_is_removed_by_default(
    retention: ContentRetention, photos: DeltaBatches
) -> None:
    retention.save(RetentionParameters(content_days=None))
    assert None not in contents(photos, "content").values()
    assert retention.load() == {"photos": 0, "images": 0}


def test_photos_are_as_old_as_their_batch(
    retention: ContentRetention,
    photos: DeltaBatches,
    images: DeltaBatches,
    features: DeltaBatches,
    save_all: Save,
) -> None:
    logs: dict[str, object] = logs_of(photos, images, features)
    logs["quality"] = logs["features"]
    added = {f.batch: f.added_at or 0 for f in log_of(photos).files}
    assert abs(max(added.values()) / 1000 - time.time()) < 600
    names = sorted(added, key=lambda name: added[name])
    assert find_expired(logs, NOW) == ["000001", "000002"]  # type: ignore[arg-type]
    assert find_expired(logs, added[names[1]]) == [names[0]]  # type: ignore[arg-type]
    assert find_expired(logs, added[names[0]]) == []  # type: ignore[arg-type]
    # A file that is written again, without the row of a changed photo, keeps its age.
    photos.save(ingested({"000003": ["b*"]}))
    (rewritten,) = log_of(photos).batches["000001"]
    assert rewritten.added_at == added["000001"]


def test_batch_without_features_is_not_expired(
    retention: ContentRetention,
    photos: DeltaBatches,
    images: DeltaBatches,
    features: DeltaBatches,
    save_images: Save,
) -> None:
    photos.save(ingested({"000003": ["e"]}))
    retention.save(RetentionParameters(content_days=0))
    save_images()
    retention.save(RetentionParameters(content_days=0))
    kept = {name for name, content in contents(photos, "content").items() if content}
    assert kept == {"c!", "e"}
    assert contents(images, "image")["e"] == b"e"


def test_photos_without_content_are_read_again_on_request(
    retention: ContentRetention, photos: DeltaBatches
) -> None:
    retention.save(RetentionParameters(content_days=0))
    listing = DeltaListing(filepath=photos.filepath, table="photos")
    assert -1 not in sizes(listing)
    listing.removed_content = "read"
    assert sizes(listing) == [-1] * 4  # all photos of both files


def test_needed_content_is_an_error_that_names_the_solution(
    retention: ContentRetention, photos: DeltaBatches
) -> None:
    check_content(log_of(photos), "images", ["000001"])
    retention.save(RetentionParameters(content_days=0))
    with pytest.raises(FruitsError, match="removed_content=read"):
        check_content(log_of(photos), "images", ["000001"])
    check_content(log_of(photos), "images", ["000009"])


def test_counts_survive_a_checkpoint(
    retention: ContentRetention, photos: DeltaBatches
) -> None:
    retention.save(RetentionParameters(content_days=0))
    DeltaTable(photos.filepath).create_checkpoint()
    files = log_of(photos).files
    assert count_without_content(files) == 3
