"""Kill runs at random moments, and resume them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from chaos.contents import Difference, compare
from chaos.trial import Result, Run, Trial, make_photos, run_to_end, start

PHOTOS = 320
MOVED = (("changed_location", "accept"),)

JVM, WORKER = "JVM", "worker"
SIGNALS = {
    "SIGKILL to all processes": (os.killpg, signal.SIGKILL),
    "SIGKILL to the driver": (os.kill, signal.SIGKILL),
    "SIGTERM to the driver": (os.kill, signal.SIGTERM),
    "SIGINT to all processes": (os.killpg, signal.SIGINT),
}
VICTIMS = (*SIGNALS, "SIGKILL to all processes", JVM, WORKER)


@dataclass(frozen=True)
class Case:
    """Runs to kill, and the tables that they must end with.

    Attributes:
        name: Description of the run.
        photos: Photo root.
        before: Root before the run; a missing folder for a first run.
        expected: Root after an undisturbed run.
        arguments: Arguments of the run.
        parameters: Parameters of the run.
        seconds: Duration of the undisturbed run.
    """

    name: str
    photos: Path
    before: Path
    expected: Path
    arguments: tuple[str, ...] = ()
    parameters: tuple[tuple[str, object], ...] = ()
    seconds: float = 0.0


def run_cases(folder: Path) -> Iterator[Case]:
    """Make undisturbed runs of all kinds, and yield each with its duration."""
    photos, more = folder / "photos", folder / "more"
    make_photos(photos, 0, PHOTOS)
    make_photos(more, 0, 2 * PHOTOS)
    first, incremental = folder / "first", folder / "incremental"
    rebuilt, classified = folder / "rebuilt", folder / "classified"
    removed = (("retention__content_days", 0),)
    changed = (("preprocess__short_side", 32), ("changed_recipe", "rebuild"))
    cases = [
        Case("first run", photos, folder / "nothing", first),
        Case("incremental run", more, first, incremental, (), MOVED),
        Case("changed_recipe=rebuild", photos, first, rebuilt, (), changed),
        Case("content_days=0", photos, first, folder / "emptied", (), removed),
        Case("classify", photos, first, classified, ("--pipelines", "classify")),
    ]
    for case in cases:
        _copy(case.before, case.expected)
        begin = time.monotonic()
        run_to_end(case.photos, case.expected, *case.arguments, **dict(case.parameters))
        yield replace(case, seconds=time.monotonic() - begin)


def run_and_kill(trial: Trial, case: Case, victim: str, root: Path) -> str:
    """Start a run, and kill a process of it at a random moment.

    Returns:
        Description of the moment, or an empty text if the run had ended before.
    """
    _copy(case.before, root)
    delay = trial.random.uniform(0.2, case.seconds)
    process = start(case.photos, root, *case.arguments, **dict(case.parameters))
    time.sleep(delay)
    was_alive = process.process.poll() is None
    _kill(process, victim, trial)
    process.wait()
    return f"{case.name}, {victim} after {delay:.1f} s" if was_alive else ""


def resume(case: Case, root: Path) -> tuple[Difference, str]:
    """Run again to the end, and compare the tables with those of the undisturbed run."""
    resumed = start(case.photos, root, *case.arguments, **dict(case.parameters))
    code = resumed.wait()
    if case.arguments and not (root / "06_models/phone_model.tflite").exists():
        return Difference(lost=1), f"no phone model: {resumed.message}"
    message = resumed.message if code else ""
    return compare(case.expected, root), message


def run_trial(trial: Trial, case: Case, number: int) -> tuple[Difference, str]:
    """Kill a run once, resume it, and delete its tables."""
    root = trial.folder / f"root{number}"
    moment = run_and_kill(trial, case, trial.random.choice(VICTIMS), root)
    difference, message = resume(case, root)
    shutil.rmtree(root)
    return difference, f"{moment}: {message}" if message or difference else ""


def _kill(running: Run, victim: str, trial: Trial) -> None:
    with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
        if victim in SIGNALS:
            send, number = SIGNALS[victim]
            send(running.process.pid, number)
        elif found := _children(running, victim):
            trial.random.choice(found).kill()


def _children(running: Run, victim: str) -> list[psutil.Process]:
    """Return the JVM, or the Python workers and their daemon."""
    children = psutil.Process(running.process.pid).children(recursive=True)
    return [c for c in children if (c.name() == "java") == (victim == JVM)]


def _copy(source: Path, target: Path) -> None:
    if source.exists():
        shutil.copytree(source, target)


def run(trial: Trial) -> Iterator[Result]:
    """Kill runs of each kind, and yield one result for each kind."""
    attempts = trial.attempts(1, 13)
    number = 0
    for case in [*run_cases(trial.folder)]:
        total, survived, messages = Difference(), 0, []
        for _ in range(attempts):
            number += 1
            difference, message = run_trial(trial, case, number)
            total += difference
            survived += not difference and not message
            messages += [message] if message else []
        yield Result(
            f"kill: {case.name}",
            attempts,
            survived,
            total.lost,
            total.duplicated,
            "; ".join(messages) or "resumed by the next run",
        )
