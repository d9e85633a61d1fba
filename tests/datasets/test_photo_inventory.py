import logging
from pathlib import Path

import pyarrow as pa
import pytest
from fake_s3 import Bucket
from inventories import CREATED_AT, FOLDER, TIME, entry, put_inventory
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import Listing, PhotoStore
from fruits_pipeline.io.left_out import LeftOut
from fruits_pipeline.io.listing import ListedFile


def load(bucket: Bucket, manifest: str, prefix: str = "/photos") -> Listing:
    url = f"s3://{bucket.name}"
    tables = {"path": f"{url}{prefix}/data"}
    return PhotoStore(
        filepath=f"{url}{prefix}", tables=tables, inventory=manifest
    ).load()


def paths(listing: Listing) -> list[str]:
    return sorted(file.path for file in listing.files)


def test_objects_below_the_prefix_are_listed_from_all_files(bucket: Bucket) -> None:
    rows = [entry(f"photos/{i}.jpg") for i in range(5)]
    rows += [entry("photos"), entry("photos/"), entry("photos-old/x.jpg")]
    manifest = put_inventory(bucket, rows, [entry("photos/Kiwi/z.jpg")], [])
    listing = load(bucket, manifest)
    assert paths(listing) == [*(f"{i}.jpg" for i in range(5)), "Kiwi/z.jpg"]
    assert listing.complete_until == CREATED_AT
    etag = rows[0]["e_tag"]
    assert ListedFile("0.jpg", 3, TIME, etag) in [*listing.files]


def test_inventory_of_a_bucket_has_the_same_listing_as_requests(bucket: Bucket) -> None:
    keys = ["a.jpg", "b/%20 +.jpg", "b/\u00e9 🍎.jpg", "c//d.jpg", "data/x.jpg"]
    url = bucket.put(dict.fromkeys(keys, b"abc"))
    store = PhotoStore(filepath=url, tables={"path": f"{url}/data"})
    listed = store.load()
    rows = [
        entry(file.path, e_tag=file.etag, last_modified_date=file.modified_at)
        for file in listed.files
    ]
    manifest = put_inventory(bucket, [*rows, entry("data/x.jpg")])
    found = load(bucket, manifest, prefix="")
    assert sorted(found.files) == sorted(listed.files)
    assert found.left_out == listed.left_out == LeftOut({"below root": ["data/x.jpg"]})


def test_keys_are_not_decoded(bucket: Bucket) -> None:
    keys = ["a%20b.jpg", "a+b.jpg", "a b.jpg"]
    manifest = put_inventory(bucket, [entry(f"photos/{key}") for key in keys])
    assert paths(load(bucket, manifest)) == sorted(keys)


def test_old_versions_and_delete_markers_are_ignored(bucket: Bucket) -> None:
    rows = [
        entry("photos/a.jpg", version_id="2"),
        entry("photos/a.jpg", version_id="1", is_latest=False),
        entry("photos/b.jpg", version_id="1", is_latest=False),
        entry("photos/b.jpg", version_id="2", is_delete_marker=True, size=None),
        entry("photos/c.jpg", is_latest=None, is_delete_marker=None),
    ]
    assert paths(load(bucket, put_inventory(bucket, rows))) == ["a.jpg", "c.jpg"]


def test_archived_objects_are_marked(bucket: Bucket) -> None:
    classes = ["STANDARD", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR", None]
    rows = [entry(f"photos/{c}.jpg", storage_class=c) for c in classes]
    listing = load(bucket, put_inventory(bucket, rows))
    found = pa.concat_tables(listing.files.tables()).to_pylist()
    archived = {row["path"] for row in found if row["archived"]}
    assert archived == {"GLACIER.jpg", "DEEP_ARCHIVE.jpg"}


def test_optional_columns_may_be_missing(bucket: Bucket) -> None:
    omit = ["version_id", "is_latest", "is_delete_marker", "e_tag", "storage_class"]
    manifest = put_inventory(bucket, [entry("photos/a.jpg")], omit=omit)
    assert [*load(bucket, manifest).files] == [ListedFile("a.jpg", 3, TIME, None)]


def test_age_of_the_inventory_is_a_warning(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = put_inventory(bucket, [entry("photos/a.jpg")])
    with caplog.at_level(logging.WARNING):
        load(bucket, manifest)
    assert "it was made 2026-11-02 01:00 UTC" in caplog.text
    assert "hours ago" in caplog.text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"fileFormat": "CSV"},
            "in the format CSV; expected Parquet.*omit `inventory`",
        ),
        (
            {"fileFormat": "ORC"},
            "in the format ORC; expected Parquet.*omit `inventory`",
        ),
        ({"files": None}, "without the fields of a manifest"),
        ({"sourceBucket": "other"}, "of the bucket other; expected that of `photos`"),
        ({"omit": ["size"]}, "without Size; expected this metadata"),
        ({"omit": ["last_modified_date"]}, "without Last modified date; expected"),
    ],
)
def test_unusable_inventory_is_an_error(
    bucket: Bucket, values: dict[str, object], message: str
) -> None:
    manifest = put_inventory(bucket, [entry("photos/a.jpg")], **values)  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match=message):
        load(bucket, manifest)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("2026-11-02T01-00Z/manifest.json", r"manifest.json with the MD5 .* expected"),
        ("2026-11-02T01-00Z/manifest.checksum", "expected other, as manifest.checksum"),
        ("data/0.parquet", r"0.parquet with the MD5 .*, as the manifest states"),
    ],
)
def test_damaged_file_is_an_error(bucket: Bucket, name: str, message: str) -> None:
    manifest = put_inventory(bucket, [entry("photos/a.jpg")])
    bucket.put({f"{FOLDER}/{name}": b"other"})
    with pytest.raises(DatasetError, match=message):
        load(bucket, manifest)


def test_missing_manifest_and_data_file_are_errors(bucket: Bucket) -> None:
    manifest = put_inventory(bucket, [entry("photos/a.jpg")])
    bucket.cloud.s3.delete_object(Bucket=bucket.name, Key=f"{FOLDER}/data/0.parquet")
    with pytest.raises(
        DatasetError, match=r"Found no s3://.*/data/0.parquet; expected"
    ):
        load(bucket, manifest)
    with pytest.raises(
        DatasetError, match=r"Found no .*x/manifest.json, or no manifest.checksum"
    ):
        load(bucket, f"s3://{bucket.name}/x/manifest.json")


def test_inventory_without_photos_is_an_error(bucket: Bucket) -> None:
    manifest = put_inventory(bucket, [entry("other/a.jpg")])
    with pytest.raises(DatasetError, match="Found no object below s3://.*newer"):
        load(bucket, manifest)


def test_inventory_of_a_local_folder_is_an_error(
    bucket: Bucket, tmp_path: Path
) -> None:
    manifest = put_inventory(bucket, [entry("photos/a.jpg")])
    with pytest.raises(DatasetError, match="expected that of `photos` = /"):
        PhotoStore(filepath=str(tmp_path), inventory=manifest).load()
