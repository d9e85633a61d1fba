"""Fill the disk of `root` during a run, enlarge it, and run again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from factories import PROJECT

from chaos.contents import Difference, compare
from chaos.trial import (
    Result,
    Trial,
    error_message,
    make_photos,
    parameters_of,
    run_to_end,
)

PHOTOS = 200
ENOUGH_MIB = 200
MOUNT_NAMESPACE = ("unshare", "--mount")
EXPECTED_MESSAGE = "no space left on device"

SCRIPT = """
mount -t tmpfs -o size=$1k tmpfs "$2" || exit 77
"$3" -W ignore -m kedro run --params "$4" >"$5" 2>&1 && echo "the disk was large enough" >"$5"
mount -o remount,size=$6m tmpfs "$2"
"$3" -W ignore -m kedro run --params "$4" >"$5.resumed" 2>&1
code=$?
cp -r "$2" "$7"
exit $code
"""


def run(trial: Trial) -> Iterator[Result]:
    """Run on a disk of a random size that is too small, then on one that is not."""
    if not _can_mount():
        yield Result("full disk", 0, 0, message="skipped: mounting is not permitted")
        return
    photos = make_photos(trial.folder / "photos", 0, PHOTOS)
    expected = trial.folder / "expected"
    run_to_end(photos, expected)
    needed = sum(f.stat().st_size for f in expected.rglob("*") if f.is_file()) // 1024
    attempts, survived = trial.attempts(1, 8), 0
    total, messages = Difference(), {""}
    for number in range(attempts):
        size = trial.random.randint(needed // 20, needed * 3 // 4)
        difference, message = _fill(trial, photos, expected, size, number)
        total += difference
        survived += not difference and EXPECTED_MESSAGE in message
        messages.add(message)
    text = "; ".join(sorted(messages - {""}))
    yield Result("full disk", attempts, survived, total.lost, total.duplicated, text)


def _can_mount() -> bool:
    command = [*MOUNT_NAMESPACE, "true"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _fill(
    trial: Trial, photos: Path, expected: Path, size: int, number: int
) -> tuple[Difference, str]:
    """Run twice on a disk that has `size` KiB in the first run; return the message."""
    disk, log = trial.folder / f"disk{number}", trial.folder / f"log{number}"
    copy = trial.folder / f"copy{number}"
    disk.mkdir()
    values = [size, disk, sys.executable, parameters_of(photos, disk), log]
    arguments = [str(value) for value in [*values, ENOUGH_MIB, copy]]
    subprocess.run(
        [*MOUNT_NAMESPACE, "sh", "-c", SCRIPT, "sh", *arguments],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": f"{PROJECT}/src", "NO_COLOR": "1"},
        check=False,
    )
    return compare(expected, copy), error_message(log.read_text())
