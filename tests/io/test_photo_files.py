import os
from pathlib import Path

import pytest
import yaml
from factories import PROJECT, write_files

from fruits_pipeline.io.photo_files import (
    PHOTO_EXTENSIONS,
    find_photos,
    read_photo_file,
)


def test_extensions_are_those_of_ingest() -> None:
    file = PROJECT / "conf/base/parameters_ingest.yml"
    assert yaml.safe_load(file.read_text())["ingest"]["extensions"] == [
        *PHOTO_EXTENSIONS
    ]


def test_folders_are_searched_recursively(tmp_path: Path) -> None:
    names = ("b/c/2.JPG", "b/1.heic", "b/.x/3.jpg", "b/Thumbs.db", "b/4.txt")
    write_files(tmp_path, dict.fromkeys(names, b"-"))
    (tmp_path / "link").symlink_to(tmp_path / "b")
    found = [*find_photos([f"{tmp_path}/b", f"{tmp_path}/link/", f"{tmp_path}/x.txt"])]
    expected = ["b/1.heic", "b/c/2.JPG", "link/1.heic", "link/c/2.JPG", "x.txt"]
    assert found == [(f"{tmp_path}/{name}", None) for name in expected]


@pytest.mark.parametrize(
    ("files", "expected"),
    [({}, "is empty; expected photos"), ({"a.txt": b"-"}, "no photos, but 1 .txt (")],
)
def test_folder_without_photos_is_a_problem(
    tmp_path: Path, files: dict[str, bytes], expected: str
) -> None:
    ((path, problem),) = find_photos([str(write_files(tmp_path, files))])
    assert path == str(tmp_path)
    assert expected in (problem or "")


def test_url_is_a_problem() -> None:
    ((_, problem),) = find_photos(["s3://bucket/a.jpg"])
    assert "expected a local file or folder" in (problem or "")


def test_unreadable_file_is_reported(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.jpg")
    for name, reason in (
        ("missing.jpg", "No such file"),
        ("fifo.jpg", "Not a regular"),
    ):
        with pytest.raises(ValueError, match=f"cannot be read: {reason}"):
            read_photo_file(f"{tmp_path}/{name}")
