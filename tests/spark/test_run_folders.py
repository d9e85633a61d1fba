import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fruits_pipeline.spark.run_folders import LOCK, run_folder, temporary_files_in

PROGRAM = """
import sys, time
from fruits_pipeline.spark.run_folders import run_folder

folder = run_folder(sys.argv[1])
(folder / "blockmgr-1").mkdir()
(folder / "blockmgr-1/shuffle").write_text("rows")
print(folder, flush=True)
sys.stdin.read()
"""


def start_run(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process with a run folder, which lives until its standard input closes."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, parent],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_folder_is_deleted_at_exit(tmp_path: Path) -> None:
    process, folder = start_run(tmp_path)
    assert (folder / "blockmgr-1/shuffle").exists()
    process.communicate("")
    assert not list(tmp_path.iterdir())


def test_folders_of_killed_runs_are_deleted_and_those_of_live_runs_kept(
    tmp_path: Path,
) -> None:
    runs = [start_run(tmp_path) for _ in range(3)]
    for process, _ in runs[:2]:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert all(folder.exists() for _, folder in runs)
    own = run_folder(str(tmp_path))
    assert own.name.startswith(f"fruits-{os.getpid()}-")
    assert {*tmp_path.iterdir()} == {own, runs[2][1]}
    assert (runs[2][1] / "blockmgr-1/shuffle").read_text() == "rows"
    runs[2][0].communicate("")


def test_process_has_one_folder_in_each_parent(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert run_folder(str(tmp_path)) == run_folder(str(tmp_path))
    assert run_folder(str(tmp_path / "a")).parent == tmp_path / "a"


def test_folders_of_others_are_kept(tmp_path: Path) -> None:
    others = tmp_path / "others"
    outside = tmp_path / "outside"
    names = ("fruits-2024-holidays", "fruits-1-abcdefgh-2", "spark-1")
    for folder in (outside, *(others / name for name in names)):
        folder.mkdir(parents=True)
        (folder / "photo.jpg").touch()
    for folder in (outside, others / "spark-1", others / "fruits-1-abcdefgh-2"):
        (folder / LOCK).touch()
    (others / "fruits-1-symlink1").symlink_to(outside)
    (others / "fruits-1-linklock").mkdir()
    (others / "fruits-1-linklock" / LOCK).symlink_to(outside / LOCK)
    before = {*others.rglob("*")}
    run_folder(str(others))
    assert before <= {*others.rglob("*")}
    assert (outside / "photo.jpg").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can create files of others")
def test_folders_of_other_users_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "fruits-1-abcdefgh"
    folder.mkdir()
    (folder / LOCK).touch()
    os.chown(folder, 12345, 12345)
    run_folder(str(tmp_path))
    assert folder.exists()


def test_symlinks_in_the_folder_of_a_killed_run_are_not_followed(
    tmp_path: Path,
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/photo.jpg").touch()
    stale = tmp_path / "parent/fruits-1-abcdefgh"
    stale.mkdir(parents=True)
    (stale / LOCK).touch()
    (stale / "link").symlink_to(tmp_path / "outside")
    run_folder(str(tmp_path / "parent"))
    assert not stale.exists()
    assert (tmp_path / "outside/photo.jpg").exists()


def test_python_creates_temporary_files_in_the_folder(tmp_path: Path) -> None:
    before = tempfile.gettempdir()
    with temporary_files_in(tmp_path), tempfile.NamedTemporaryFile() as file:
        assert Path(file.name).parent == tmp_path
    assert tempfile.gettempdir() == before
