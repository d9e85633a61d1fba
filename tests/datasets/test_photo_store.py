import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from factories import write_files
from fsspec.implementations.memory import MemoryFileSystem
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import PhotoStore
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


@pytest.fixture(params=["", "/"], ids=["without a slash", "with a slash"])
def root(request: pytest.FixtureRequest, folder: str) -> str:
    return folder + str(request.param)


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
    assert not store.exists()
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
    (found,) = PhotoStore(filepath=str(tmp_path)).load().files
    assert found.path == "\udcff.jpg"


def test_root_may_be_a_symlink_relative_or_a_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PhotoStore(filepath=f"{tmp_path}/photos").save({"Apple/x.jpg": b"1"})
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    for root in (f"{tmp_path}/link", "photos", "./link/", f"file://{tmp_path}/photos"):
        (found,) = PhotoStore(filepath=root).load().files
        assert found.path == "Apple/x.jpg"


def test_s3_object_has_its_time_and_etag(monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    info = {"size": 7, "LastModified": noon, "ETag": '"abc"'}
    path = "/bucket/photos/A/x.jpg"

    def find(*_: Any, **__: Any) -> dict[str, dict[str, Any]]:
        return {path: {"name": path, **info}}

    monkeypatch.setattr(MemoryFileSystem, "find", find)
    (found,) = PhotoStore(filepath="memory://bucket/photos").load().files
    assert found == ListedFile("A/x.jpg", 7, noon, "abc")
    (found,) = PhotoStore(filepath="memory://bucket").load().files
    assert found.path == "photos/A/x.jpg"


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
    assert listing.below_root == 1
