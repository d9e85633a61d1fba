import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pytest
from factories import NOON, listed, run_without_privileges

from fruits_pipeline.io.files import read_file, read_files, write_atomically, write_file
from fruits_pipeline.io.listing import ListedFile


def test_missing_folders_are_created(tmp_path: Path) -> None:
    file = tmp_path / "a b" / "c#1" / "x%20.json"
    write_atomically(str(file), b"{}")
    assert file.read_bytes() == b"{}"
    assert [file.name for file in file.parent.iterdir()] == ["x%20.json"]


def test_existing_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "x"
    write_atomically(str(file), b"a longer old content")
    write_atomically(str(file), b"new")
    assert file.read_bytes() == b"new"


def test_relative_path_is_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_atomically("x.json", b"1")
    assert (tmp_path / "x.json").read_bytes() == b"1"


def test_file_is_written_to_a_url() -> None:
    file_system = fsspec.filesystem("memory")
    for content in (b"old", b"new"):
        write_atomically("memory://test_files/a/x.json", content)
    assert file_system.find("/test_files") == ["/test_files/a/x.json"]
    assert file_system.cat_file("/test_files/a/x.json") == b"new"


def test_concurrent_writers_of_one_file_all_succeed(tmp_path: Path) -> None:
    file = tmp_path / "model.npz"
    contents = [bytes([i]) * 100_000 for i in range(30)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write_atomically, [str(file)] * 30, contents))
    assert file.read_bytes() in contents
    assert [*tmp_path.iterdir()] == [file]


def test_files_are_read_in_order_with_errors_in_their_place(tmp_path: Path) -> None:
    folder = f"{tmp_path}/a::b [c]*"
    paths = ["b/[x]*?.jpg", "missing.jpg", "a.jpg"]
    write_file(f"{folder}/{paths[0]}", b"first")
    write_file(f"{folder}/{paths[2]}", b"last")
    sizes = [5, 5, 4]
    files = [ListedFile(*pair, NOON) for pair in zip(paths, sizes, strict=True)]
    first, error, last = read_files(folder, files, requests_in_flight=2)
    assert (first.content, last.content) == (b"first", b"last")
    assert isinstance(error.content, FileNotFoundError)
    assert read_file(f"{folder}/{paths[0]}") == b"first"


def test_files_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    paths = ["folder", "loop", "fifo", "x" * 300]
    found = read_files(str(tmp_path), listed(*paths, size=1), requests_in_flight=2)
    errors = [file.content for file in found]
    numbers = [error.errno for error in errors if isinstance(error, OSError)]
    expected = [errno.EISDIR, errno.ELOOP, errno.EINVAL, errno.ENAMETOOLONG]
    assert numbers == expected


def test_file_without_permission_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1")
    (tmp_path / "x").chmod(0)
    files = listed("x", size=1)
    found = run_without_privileges(lambda: repr(read_files(str(tmp_path), files, 1)))
    assert "PermissionError" in found


def test_missing_file_cannot_be_read(folder: str) -> None:
    with pytest.raises(FileNotFoundError):
        read_file(f"{folder}/missing.jpg")
