import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from factories import jpeg, write_files
from fake_s3 import Bucket

from fruits_pipeline.datasets import PhotoStore
from fruits_pipeline.datasets.previews import photo_folder
from fruits_pipeline.datasets.previews.contact_sheet import Shown, text_image


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which the captions of drawn photos are added."""
    captions: list[str] = []
    draw = photo_folder.photo_sheet

    def spy(photos: list[Shown]) -> object:
        captions.extend(photo.caption for photo in photos)
        return draw(photos)

    monkeypatch.setattr(photo_folder, "photo_sheet", spy)
    return captions


FILES: Mapping[str, bytes] = {
    f"Training/{label}/{label}_{i}.jpg": jpeg(i)
    for label in "abcdef"
    for i in range(40)
}
OTHERS = {"notes.txt": b"-", ".hidden/x.jpg": jpeg(1), "data/08_reporting/s.png": b"-"}


def test_photos_of_several_folders_are_shown(tmp_path: Path, shown: list[str]) -> None:
    store = write_files(tmp_path, {**FILES, **OTHERS, "empty.jpg": b""})
    preview = PhotoStore(
        filepath=str(store), tables={"path": f"{store}/data"}
    ).preview()
    assert len(preview) > 1000
    assert {name[0] for name in shown} == {*"abcdef"}
    assert 6 <= len(shown) <= 20


def test_link_to_its_own_folder_ends(tmp_path: Path, shown: list[str]) -> None:
    store = write_files(tmp_path / "photos", {"a/a.jpg": jpeg(1)})
    os.symlink(store, store / "a/loop")
    PhotoStore(filepath=str(store)).preview()
    assert {*shown} == {"a.jpg"}


def test_photos_of_a_bucket_are_shown(bucket: Bucket, shown: list[str]) -> None:
    url = bucket.put({f"photos/{path}": content for path, content in FILES.items()})
    PhotoStore(filepath=f"{url}/photos").preview()
    assert {name[0] for name in shown} == {*"abcdef"}


@pytest.mark.parametrize("name", ["missing", "empty", "file"])
def test_photo_root_without_photos_is_explained(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"1")
    folder = str(tmp_path / name)
    text = (
        f"No photos in {folder}. Set the folder or bucket with photos=..., or render a "
        "sample with `make sample`."
    )
    assert PhotoStore(filepath=folder).preview() == text_image(text)
