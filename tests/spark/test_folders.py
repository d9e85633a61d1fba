import os
import socket
import tempfile
from pathlib import Path

import pytest

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.folders import (
    MAX_SOCKET_FOLDER,
    folder_options,
    local_folder_settings,
    set_home,
    socket_folder,
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
    (option,) = (o for o in folder_options() if o.startswith("-Djava.io.tmpdir="))
    assert Path(option.partition("=")[2]).parent == temporary


def test_no_writable_temporary_folder_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/no"])
    with pytest.raises(FruitsError, match="Set TMPDIR to a writable folder"):
        temporary_folder()


def test_sockets_are_in_another_folder_if_the_path_is_too_long(temporary: Path) -> None:
    folder = socket_folder()
    assert folder
    assert len(folder) <= MAX_SOCKET_FOLDER
    assert not folder.startswith(str(temporary))
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"{folder}/.00000000-0000-0000-0000-000000000000.sock")


def test_sockets_are_in_the_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as short:  # noqa: S108
        monkeypatch.setattr(tempfile, "tempdir", short)
        folder = socket_folder()
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


def test_runs_use_folders_of_their_own_in_the_local_folders(tmp_path: Path) -> None:
    settings = local_folder_settings(f"{tmp_path}/a/b,{tmp_path}/c d")
    first, second = settings["spark.local.dir"].split(",")
    assert Path(first).parent == tmp_path / "a/b"
    assert Path(second).parent == tmp_path / "c d"
    assert settings["spark.executorEnv.TMPDIR"] == first
    assert settings["spark.hadoop.hadoop.tmp.dir"] == first


def test_java_chooses_the_local_folder_if_none_is_set(temporary: Path) -> None:
    settings = local_folder_settings("")
    assert "spark.local.dir" not in settings
    assert Path(settings["spark.executorEnv.TMPDIR"]).parent == temporary


def test_local_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FruitsError, match="spark.local.dir = .*file/x is not writable"):
        local_folder_settings(f"{tmp_path}/file/x")
