import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from fruits_pipeline.io.durable import create_file, flush_file, replace_file

KILLED_WRITER = """
import os, signal, sys
from fruits_pipeline.io import durable

durable.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
durable.replace_file(sys.argv[1], b"content of a killed writer, which is long")
"""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Record flushes and renames while they happen, with the name of the file."""
    recorded: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(descriptor: int) -> None:
        recorded.append(
            ("flush", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        )
        fsync(descriptor)

    def record_replace(source: str, target: str) -> None:
        recorded.append(("rename", Path(target).name))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    return recorded


def test_new_file_and_all_new_folders_are_flushed(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    create_file(f"{tmp_path}/table/batch=1/part", b"rows")
    assert (tmp_path / "table/batch=1/part").read_bytes() == b"rows"
    flushed = [name for _, name in calls]
    assert flushed == [tmp_path.name, "table", "part", "batch=1"]


def test_content_is_flushed_before_the_file_is_renamed(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    replace_file(f"{tmp_path}/x", b"1")
    assert calls == [
        ("flush", "x.unfinished"),
        ("rename", "x"),
        ("flush", tmp_path.name),
    ]


def test_file_of_another_library_is_flushed(
    tmp_path: Path, calls: list[tuple[str, str]]
) -> None:
    (tmp_path / "x").write_bytes(b"1")
    flush_file(f"{tmp_path}/x")
    assert calls == [("flush", "x"), ("flush", tmp_path.name)]


def test_leftover_of_a_killed_writer_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "x"
    subprocess.run([sys.executable, "-c", KILLED_WRITER, file], check=False)
    assert [path.name for path in tmp_path.iterdir()] == ["x.unfinished"]
    replace_file(str(file), b"new")
    assert [*tmp_path.iterdir()] == [file]
    assert file.read_bytes() == b"new"


def test_failed_write_keeps_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "x"
    replace_file(str(file), b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            replace_file(str(file), b"new content")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [*tmp_path.iterdir()] == [file]
    assert file.read_bytes() == b"old"


def test_link_with_the_temporary_name_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(b"photo")
    (tmp_path / "x.unfinished").symlink_to(tmp_path / "photo")
    with pytest.raises(OSError, match="symbolic link"):
        replace_file(f"{tmp_path}/x", b"new")
    assert (tmp_path / "photo").read_bytes() == b"photo"
