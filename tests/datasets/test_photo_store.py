import os
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from factories import write_files
from fake_s3 import Bucket
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import PhotoStore
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.left_out import LeftOut
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.spark.error_messages import user_message

NAMES = [
    "plain.jpg",
    "Training/Apple Red 1/0_100.jpg",
    "Training/Pear/0_100.jpg",
    "a%20b/100 %.jpg",
    "#1/[x]*?.jpg",
    "P\u00eache/🍎.jpg",
    "Pe\u0302che/🍎.jpg",
    "README.md",
]


@pytest.fixture(params=["local", "local/", "s3", "s3/", "bucket", "bucket/"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    kind, slash, _ = request.param.partition("/")
    if kind == "local":
        return f"{tmp_path}/a::folder [x]*{slash}"
    bucket: Bucket = request.getfixturevalue("bucket")
    return f"s3://{bucket.name}{'/photos' if kind == 's3' else ''}{slash}"


def test_saved_files_are_listed_with_their_exact_names(root: str) -> None:
    store = PhotoStore(filepath=root)
    store.save({name: name.encode() for name in NAMES})
    listing = store.load()
    assert listing.photo_root == root
    sizes = {file.path: file.size_bytes for file in listing.files}
    assert sizes == {name: len(name.encode()) for name in NAMES}


def test_saving_keeps_other_files(root: str) -> None:
    store = PhotoStore(filepath=root)
    store.save({"a/x.jpg": b"1"})
    store.save({"a/y.jpg": b"22", "a/x.jpg": b"333"})
    found = {file.path: file.size_bytes for file in store.load().files}
    assert found == {"a/x.jpg": 3, "a/y.jpg": 2}


def test_missing_folder_is_an_error_with_the_parameter_to_set(root: str) -> None:
    store = PhotoStore(filepath=root)
    with pytest.raises(DatasetError) as caught:
        store.load()
    message = user_message(caught.value) or ""
    assert message.startswith(f"Found no such photo folder {root};")
    assert "--params photos=<folder or s3://...>" in message


def test_empty_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "Apple").mkdir()
    store = PhotoStore(filepath=str(tmp_path))
    assert store.exists()
    with pytest.raises(DatasetError, match="an empty photo folder"):
        store.load()


def test_local_file_has_its_modification_time(tmp_path: Path) -> None:
    file = tmp_path / "x.jpg"
    file.write_bytes(b"1")
    os.utime(file, ns=(0, 1_700_000_000_123_456_000))
    (found,) = PhotoStore(filepath=str(tmp_path)).load().files
    expected = datetime.fromtimestamp(1_700_000_000, UTC).replace(microsecond=123_456)
    assert found == ListedFile("x.jpg", 1, expected, None)


def test_listing_is_not_cached(root: str) -> None:
    store = PhotoStore(filepath=root)
    store.save({"x.jpg": b"1"})
    store.load()
    PhotoStore(filepath=root).save({"y.jpg": b"1"})
    assert sorted(file.path for file in store.load().files) == ["x.jpg", "y.jpg"]


def test_name_that_is_not_utf8_is_listed(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg")).write_bytes(b"1")
    listing = PhotoStore(filepath=str(tmp_path)).load()
    assert not listing.files
    assert listing.left_out == LeftOut({"name is not UTF-8": ["\udcff.jpg"]})


def test_root_may_be_a_symlink_relative_or_a_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PhotoStore(filepath=f"{tmp_path}/photos").save({"Apple/x.jpg": b"1"})
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    for root in (f"{tmp_path}/link", "photos", "./link/", f"file://{tmp_path}/photos"):
        (found,) = PhotoStore(filepath=root).load().files
        assert found.path == "Apple/x.jpg"


def test_photos_below_the_root_of_the_tables_are_listed(tmp_path: Path) -> None:
    photos = write_files(tmp_path / "data/01_raw/sample", {"Kiwi/0.jpg": b"1"})
    store = PhotoStore(filepath=str(photos), tables={"path": f"{tmp_path}/data"})
    assert [file.path for file in store.load().files] == ["Kiwi/0.jpg"]
    assert store.recipe() == {"photos": "01_raw/sample"}


@pytest.mark.parametrize("spelled", ["{0}/link/out", "{0}/real/../real/out"])
def test_tables_below_the_photos_are_not_listed(tmp_path: Path, spelled: str) -> None:
    photos = write_files(tmp_path / "real", {"0.jpg": b"1", "out/sheet.png": b"2"})
    (tmp_path / "link").symlink_to(photos)
    root = spelled.format(tmp_path)
    listing = PhotoStore(filepath=str(photos), tables={"path": root}).load()
    assert [file.path for file in listing.files] == ["0.jpg"]
    assert listing.left_out == LeftOut({"below root": ["out/sheet.png"]})


def test_tables_in_the_bucket_are_not_listed(bucket: Bucket) -> None:
    url = bucket.put({"0.jpg": b"", "data/sheet.png": b"", "cold.jpg": b""})
    bucket.put({"cold.jpg": b""}, "GLACIER")
    store = PhotoStore(filepath=url, tables={"path": f"{url}/data"})
    listing = store.load()
    assert sorted(file.path for file in listing.files) == ["0.jpg", "cold.jpg"]
    assert listing.left_out == LeftOut({"below root": ["data/sheet.png"]})
    rows = pa.concat_tables(listing.files.tables()).to_pylist()
    assert {row["path"] for row in rows if row["archived"]} == {"cold.jpg"}
    assert store.recipe() == {"photos": url}


@pytest.mark.parametrize("name", ["x.jpg", "photos.zip", "list.txt"])
def test_file_instead_of_a_folder_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"1")
    with pytest.raises(
        DatasetError, match=rf"{name} is a file; expected a folder .*Unpack"
    ):
        PhotoStore(filepath=f"{tmp_path}/{name}").load()


def test_object_instead_of_a_prefix_is_an_error(bucket: Bucket) -> None:
    url = bucket.put({"photos.zip": b"1"})
    with pytest.raises(DatasetError, match="photos.zip is a file; expected a folder"):
        PhotoStore(filepath=f"{url}/photos.zip").load()


@pytest.mark.parametrize(
    "url", ["http://x/y", "gs://a/b", "s3a://a/b", "S3://a/b", "s3://", "s3:///photos"]
)
def test_url_of_another_store_is_an_error(url: str) -> None:
    store = PhotoStore(filepath=url)
    for method in (store.load, store.recipe):
        with pytest.raises((DatasetError, FruitsError)) as caught:
            method()
        message = user_message(caught.value) or ""
        assert f"found {url}; expected a folder or s3://bucket/prefix" in message
