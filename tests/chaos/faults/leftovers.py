"""Kill runs at random moments, and look for their temporary files after the next start."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from chaos.trial import Result, Run, Trial, make_photos, start

LONGEST = 8.0
"""Seconds until a run is killed at the latest, about the duration of a run."""

PATIENCE = 60.0
"""Seconds to wait for a run to create its folder, or for Java to end after the run."""


def run(trial: Trial) -> Iterator[Result]:
    """Yield how many of the killed runs left nothing after the start of the next run."""
    photos, root = make_photos(trial.folder / "photos", 0, 120), trial.folder / "root"
    temporary = trial.folder / "t"  # a short path, because it contains sockets
    temporary.mkdir()
    attempts, remaining = trial.attempts(quick=3, full=50), 0
    for _ in range(attempts):
        old = _entries(temporary)
        killed = start(photos, root, environ={"TMPDIR": str(temporary)})
        _wait_for_folder(killed, temporary, old)
        remaining += bool(old & _entries(temporary))
        time.sleep(trial.random.uniform(0, LONGEST))
        os.killpg(killed.process.pid, signal.SIGKILL)
        killed.wait()
    last = start(photos, root, environ={"TMPDIR": str(temporary)})
    failed = last.wait() != 0
    found = _leftovers(temporary, root)
    survived = attempts - remaining - bool(found) - failed
    message = last.message if failed else ", ".join(found) or "nothing is left"
    yield Result("temporary files of killed runs", attempts, survived, message=message)


def _entries(folder: Path) -> set[str]:
    return {*os.listdir(folder)}


def _wait_for_folder(run: Run, temporary: Path, old: set[str]) -> None:
    """Wait until a run has created its folder, or has ended."""
    end = time.monotonic() + PATIENCE
    while run.process.poll() is None and time.monotonic() < end:
        if any(name.startswith("fruits-") for name in _entries(temporary) - old):
            return
        time.sleep(0.05)


def _leftovers(temporary: Path, root: Path) -> list[str]:
    """Return what is left after a complete run, when its Java process has ended."""
    end = time.monotonic() + PATIENCE
    while _entries(temporary) and time.monotonic() < end:
        time.sleep(0.2)
    return [
        *sorted(_entries(temporary)),
        *(path.name for path in root.rglob("*.unfinished")),
    ]
