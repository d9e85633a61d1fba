import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem

from fruits_pipeline.io.files import write_whole


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    place = tmp_path / "a b" / "c#1" / "x%20.json"
    write_whole(str(place), b"{}")
    assert place.read_bytes() == b"{}"
    assert [file.name for file in place.parent.iterdir()] == ["x%20.json"]


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    place = tmp_path / "x"
    write_whole(str(place), b"a longer old content")
    write_whole(str(place), b"new")
    assert place.read_bytes() == b"new"


def test_a_relative_path_is_below_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_whole("x.json", b"1")
    assert (tmp_path / "x.json").read_bytes() == b"1"


def test_a_file_is_written_to_a_url() -> None:
    store = fsspec.filesystem("memory")
    for content in (b"old", b"new"):
        write_whole("memory://test_files/a/x.json", content)
    assert store.find("/test_files") == ["/test_files/a/x.json"]
    assert store.cat_file("/test_files/a/x.json") == b"new"


def test_a_write_that_fails_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "x.json"
    write_whole(str(place), b"old")

    def full_disk(_: object, path: str, value: bytes, **__: Any) -> None:
        Path(path).write_bytes(value[: len(value) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LocalFileSystem, "pipe_file", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_whole(str(place), b"new content")
    assert place.read_bytes() == b"old"


def test_many_writers_of_one_file_all_succeed(tmp_path: Path) -> None:
    place = tmp_path / "model.npz"
    contents = [bytes([i]) * 100_000 for i in range(30)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write_whole, [str(place)] * 30, contents))
    assert place.read_bytes() in contents
    assert [*tmp_path.iterdir()] == [place]
