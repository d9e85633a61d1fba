import os
import socket
import tempfile
from pathlib import Path

import pytest

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.folders import (
    MAX_SOCKET_FOLDER,
    check_local_folders,
    folder_options,
    make_socket_folder,
    set_home,
    temporary_folder,
)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set `TMPDIR` to a new folder with a long path."""
    folder = tmp_path / ("long" * 20)
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)  # the cached value
    return folder


def test_java_uses_the_temporary_folder_of_python(temporary: Path) -> None:
    assert temporary_folder() == str(temporary)
    assert f"-Djava.io.tmpdir={temporary}" in [*folder_options()]


def test_no_writable_temporary_folder_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/no"])
    with pytest.raises(FruitsError, match="Set TMPDIR to a writable folder"):
        temporary_folder()


def test_sockets_are_in_another_folder_if_the_path_is_too_long(temporary: Path) -> None:
    folder = make_socket_folder()
    assert folder
    assert len(folder) <= MAX_SOCKET_FOLDER
    assert not folder.startswith(str(temporary))
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"{folder}/.00000000-0000-0000-0000-000000000000.sock")


def test_sockets_are_in_the_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as short:  # noqa: S108
        monkeypatch.setattr(tempfile, "tempdir", short)
        folder = make_socket_folder()
        assert folder
        assert Path(folder).parent == Path(short)


@pytest.mark.parametrize("home", ["~", "relative"])
def test_missing_home_becomes_the_temporary_folder(
    home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", home)
    environ = dict(os.environ)
    set_home(environ)
    assert environ["HOME"] == temporary_folder()


def test_existing_home_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/a home")
    environ = dict(os.environ)
    set_home(environ)
    assert environ["HOME"] == "/a home"


def test_local_folders_are_created(tmp_path: Path) -> None:
    check_local_folders(f"{tmp_path}/a/b,{tmp_path}/c d")
    assert (tmp_path / "a/b").is_dir()
    assert (tmp_path / "c d").is_dir()
    check_local_folders("")


def test_local_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FruitsError, match="spark.local.dir = .*file/x is not writable"):
        check_local_folders(f"{tmp_path}/file/x")
