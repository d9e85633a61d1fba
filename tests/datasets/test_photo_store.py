import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from factories import write_files
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import PhotoStore
from fruits_pipeline.datasets.photo_store import _file
from fruits_pipeline.io.listing import File
from fruits_pipeline.spark.error_messages import in_words

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


@pytest.fixture(params=["local", "local with a slash", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return f"memory://photos-{uuid4().hex}"
    slash = "/" if request.param.endswith("slash") else ""
    return f"{tmp_path}/my photos{slash}"


def test_what_is_saved_is_listed_as_it_is_spelled(place: str) -> None:
    store = PhotoStore(filepath=place)
    store.save({name: name.encode() for name in NAMES})
    listing = store.load()
    assert listing.root == place
    sizes = {file.path: file.size_bytes for file in listing.files}
    assert sizes == {name: len(name.encode()) for name in NAMES}


def test_saving_adds_to_what_is_there(place: str) -> None:
    store = PhotoStore(filepath=place)
    store.save({"a/x.jpg": b"1"})
    store.save({"a/y.jpg": b"22", "a/x.jpg": b"333"})
    found = {file.path: file.size_bytes for file in store.load().files}
    assert found == {"a/x.jpg": 3, "a/y.jpg": 2}


def test_a_folder_that_is_not_there_is_an_error_that_says_how_to_set_it(
    place: str,
) -> None:
    store = PhotoStore(filepath=place)
    assert not store.exists()
    with pytest.raises(DatasetError) as caught:
        store.load()
    words = in_words(caught.value) or ""
    assert words.startswith(f"Found no such photo folder {place};")
    assert "--params photos=<folder or s3://...>" in words


def test_an_empty_folder_is_an_error_that_calls_it_empty(tmp_path: Path) -> None:
    (tmp_path / "Apple").mkdir()
    store = PhotoStore(filepath=str(tmp_path))
    assert store.exists()
    with pytest.raises(DatasetError, match="an empty photo folder"):
        store.load()


def test_files_have_the_time_of_their_last_change(tmp_path: Path) -> None:
    file = tmp_path / "x.jpg"
    file.write_bytes(b"1")
    os.utime(file, ns=(0, 1_700_000_000_123_456_000))
    (found,) = PhotoStore(filepath=str(tmp_path)).load().files
    expected = datetime.fromtimestamp(1_700_000_000, UTC).replace(microsecond=123_456)
    assert found == File("x.jpg", 1, expected, None)


def test_a_photo_added_after_a_listing_is_in_the_next(place: str) -> None:
    store = PhotoStore(filepath=place)
    store.save({"x.jpg": b"1"})
    store.load()
    PhotoStore(filepath=place).save({"y.jpg": b"1"})
    assert sorted(file.path for file in store.load().files) == ["x.jpg", "y.jpg"]


def test_a_name_that_is_not_utf8_does_not_stop_the_listing(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg")).write_bytes(b"1")
    (found,) = PhotoStore(filepath=str(tmp_path)).load().files
    assert found.path == "\udcff.jpg"


def test_a_root_may_be_a_link_or_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    PhotoStore(filepath=f"{tmp_path}/photos").save({"Apple/x.jpg": b"1"})
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    for place in (f"{tmp_path}/link", "photos", "./link/", f"file://{tmp_path}/photos"):
        (found,) = PhotoStore(filepath=place).load().files
        assert found.path == "Apple/x.jpg"


def test_an_entry_of_s3_has_its_time_and_its_etag() -> None:
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    entry = {"name": "b/p/A/x.jpg", "size": 7, "LastModified": noon, "ETag": '"abc"'}
    assert _file("b/p", entry) == File("A/x.jpg", 7, noon, "abc")
    assert _file("b", entry).path == "p/A/x.jpg"


def test_photos_below_the_root_of_the_tables_are_listed(tmp_path: Path) -> None:
    photos = write_files(tmp_path / "data/01_raw/sample", {"Kiwi/0.jpg": b"1"})
    store = PhotoStore(filepath=str(photos), tables={"path": f"{tmp_path}/data"})
    assert [file.path for file in store.load().files] == ["Kiwi/0.jpg"]
    assert store.recipe() == {"photos": "01_raw/sample"}


@pytest.mark.parametrize("spelled", ["{0}/link/out", "{0}/real/../real/out"])
def test_tables_below_the_photos_are_not_listed_however_spelled(
    tmp_path: Path, spelled: str
) -> None:
    photos = write_files(tmp_path / "real", {"0.jpg": b"1", "out/sheet.png": b"2"})
    (tmp_path / "link").symlink_to(photos)
    root = spelled.format(tmp_path)
    listing = PhotoStore(filepath=str(photos), tables={"path": root}).load()
    assert [file.path for file in listing.files] == ["0.jpg"]
    assert listing.below_root == 1
