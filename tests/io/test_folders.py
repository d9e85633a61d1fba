import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from factories import run_without_privileges, write_files

from fruits_pipeline.io.folders import list_folder, walk_folder
from fruits_pipeline.io.found import FoundEntry


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_files(
        tmp_path / "a::b [x]*", {"Kiwi/0.jpg": b"0", "Kiwi/1.jpg": b"11"}
    )


class Found(NamedTuple):
    files: list[FoundEntry]
    left_out: dict[str, list[str]]


def find(base: Path, root: Path | None = None) -> Found:
    """Return the files of a folder, and the paths of other entries by reason."""
    found = Found([], {})
    for entry in walk_folder(os.path.realpath(base), str(root) if root else None):
        if entry.reason:
            found.left_out.setdefault(entry.reason, []).append(entry.path)
        else:
            found.files.append(entry)
    return found


def paths(found: Found) -> set[str]:
    return {file.path for file in found.files}


KIWIS = {"Kiwi/0.jpg", "Kiwi/1.jpg"}


def test_linked_folders_and_files_are_followed(base: Path, tmp_path: Path) -> None:
    write_files(tmp_path / "away", {"Plum/0.jpg": b"0", "Plum/Red/1.jpg": b"1"})
    (base / "Plum").symlink_to(tmp_path / "away/Plum")
    (base / "Same").symlink_to("Plum")
    (base / "one.jpg").symlink_to("Kiwi/1.jpg")
    found = find(base)
    plums = {f"{name}/{x}" for name in ("Plum", "Same") for x in ("0.jpg", "Red/1.jpg")}
    assert paths(found) == KIWIS | plums | {"one.jpg"}
    assert not found.left_out
    (link,) = (file for file in found.files if file.path == "one.jpg")
    assert link.size_bytes == 2


@pytest.mark.parametrize("target", [".", "..", "../..", "{base}", "../Kiwi"])
def test_link_to_a_parent_folder_is_not_followed(base: Path, target: str) -> None:
    (base / "Kiwi/loop").symlink_to(target.format(base=base))
    found = find(base)
    assert paths(found) >= KIWIS
    assert not any("loop/loop" in path for path in paths(found))
    assert any("loop" in path for path in found.left_out["link to a parent folder"])


def test_folders_that_link_to_each_other_are_listed_once_more(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/1.jpg": b"", "b/2.jpg": b""})
    (tmp_path / "a/b").symlink_to("../b")
    (tmp_path / "b/a").symlink_to("../a")
    found = find(tmp_path)
    assert paths(found) == {"a/1.jpg", "a/b/2.jpg", "b/2.jpg", "b/a/1.jpg"}
    assert sorted(found.left_out["link to a parent folder"]) == ["a/b/a", "b/a/b"]


def test_broken_links_are_left_out(base: Path) -> None:
    targets = {"gone.jpg": "gone", "self.jpg": "self.jpg", "in.jpg": "Kiwi/0.jpg/x"}
    for name, target in targets.items():
        (base / name).symlink_to(target)
    found = find(base)
    assert paths(found) == KIWIS
    assert {*found.left_out["broken link"]} == targets.keys()


def test_special_files_are_left_out_without_opening_them(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(base / "fifo.jpg")
    (base / "link.jpg").symlink_to("fifo.jpg")
    (base / "zero.jpg").symlink_to("/dev/zero")
    monkeypatch.chdir(base)  # the path of a socket is limited to 107 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        found = find(base)
    names = {"fifo.jpg", "link.jpg", "zero.jpg", "socket.jpg"}
    assert {*found.left_out["not a regular file"]} == names
    assert paths(found) == KIWIS


@pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
def test_folder_that_cannot_be_listed_is_an_error(base: Path, mode: int) -> None:
    (base / "Kiwi").chmod(mode)
    message = run_without_privileges(lambda: str(len(find(base).files)))
    assert f"Found that {base}/Kiwi" in message
    assert "cannot be listed (Permission denied)" in message
    assert "chmod" in message


def test_photo_folder_that_cannot_be_listed_is_an_error(base: Path) -> None:
    base.chmod(0)
    assert "cannot be listed" in run_without_privileges(lambda: str(find(base)))


def test_link_into_a_folder_without_permission_is_an_error(
    base: Path, tmp_path: Path
) -> None:
    write_files(tmp_path / "closed", {"Plum/0.jpg": b""}).chmod(0)
    (base / "Plum").symlink_to(tmp_path / "closed/Plum")
    message = run_without_privileges(lambda: str(find(base)))
    assert f"Found that {base}/Plum" in message
    (base / "Plum").unlink()
    (base / ".plum").symlink_to(tmp_path / "closed/Plum")
    assert "'hidden': ['.plum']" in run_without_privileges(lambda: str(find(base)))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("lost+found", "system file"), (".Trash-0", "system file"), (".x", "hidden")],
)
def test_system_folder_that_cannot_be_listed_is_left_out(
    base: Path, name: str, reason: str
) -> None:
    (base / name).mkdir(mode=0)
    (base / name).chmod(0)
    found = run_without_privileges(lambda: str(find(base).left_out))
    assert found == str({reason: [f"{name}/"]})


def test_files_below_root_are_left_out(base: Path) -> None:
    root = base / "out"
    write_files(root, {"1.jpg": b"", "reports/sheet.png": b""})
    (base / "link").symlink_to("out")
    found = find(base, root)
    assert paths(found) == KIWIS
    names = {
        f"{n}/{x}" for n in ("out", "link") for x in ("1.jpg", "reports/sheet.png")
    }
    assert {*found.left_out["below root"]} == names


def test_folder_that_vanishes_is_ignored(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def delayed(path: str) -> Iterator[os.DirEntry[str]]:
        if path.rstrip("/").endswith("Kiwi"):
            raise FileNotFoundError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", delayed)
    assert find(base) == Found([], {})


def test_missing_folder_and_file_are_errors(base: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find(base / "gone")
    with pytest.raises(NotADirectoryError):
        find(base / "Kiwi/0.jpg")


@pytest.mark.parametrize("seconds", [-(2**40), 2**40])
def test_impossible_time_is_1970(base: Path, seconds: int) -> None:
    try:
        os.utime(base / "Kiwi/0.jpg", (seconds, seconds))
    except OSError:
        pytest.skip("the file system rejects the time")
    if (base / "Kiwi/0.jpg").stat().st_mtime != seconds:
        return  # the file system clamps it
    files = list_folder(str(base)).files
    years = {file.path: file.modified_at.year for file in files}
    assert years["Kiwi/0.jpg"] == 1970
