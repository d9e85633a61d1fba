"""Run the pipeline twice at the same time on one root, with different listings."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from factories import TABLES, read_table

from chaos.contents import Difference, compare
from chaos.trial import Result, Run, Trial, make_photos, run_to_end, start
from fruits_pipeline.exit_codes import TRANSIENT

PHOTOS, MORE = 80, 40
STAGES = ("--pipelines", "ingest,preprocess,featurize,reduce")
REFIT = {"reduce__refit": "always"}
REBUILD = {"preprocess__short_side": 32, "changed_recipe": "rebuild"}
WITHOUT_LEASE, SHORT_LEASE = "chaos.without_lease", "chaos.short_lease"
CONFLICT, IN_USE = "another run has begun to write", "expected one run at a time"


@dataclass(frozen=True)
class Case:
    """Two runs that overlap.

    Attributes:
        name: Description.
        before: Root before both runs; a missing folder for an empty root.
        expected: Root after an undisturbed run on all photos.
        first: Parameters of the first run.
        second: Parameters of the second run, and of the run after both.
    """

    name: str
    before: Path
    expected: Path
    first: Mapping[str, object] = field(default_factory=dict)
    second: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Attempt:
    """A root with its photos, and a copy of the root before the runs.

    Attributes:
        folder: Folder of both.
        case: The runs.
    """

    folder: Path
    case: Case

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    @property
    def root(self) -> Path:
        return self.folder / "root"

    def prepare(self) -> None:
        """Create the photos that the first run lists, and the root."""
        make_photos(self.photos, 0, PHOTOS)
        if self.case.before.exists():
            shutil.copytree(self.case.before, self.root)
            make_photos(self.photos, PHOTOS, MORE // 2)

    def add_photos(self) -> None:
        """Create the photos that only the second run lists."""
        make_photos(self.photos, PHOTOS, MORE)

    def start(self, module: str, **parameters: object) -> Run:
        """Start a run."""
        return start(self.photos, self.root, *STAGES, module=module, **parameters)

    def lost(self, count: int) -> int:
        """Return how many of the first photos are missing in a table."""
        return sum(
            max(0, count - len(self._paths(t))) for t in TABLES if t != "moments"
        )

    def _paths(self, table: str) -> set[str]:
        if not (self.root / TABLES[table]).exists():
            return set()
        return {*read_table(self.root, table)["path"].to_pylist()}


def run(trial: Trial) -> Iterator[Result]:
    """Run pairs without the lease, then with it."""
    photos = make_photos(trial.folder / "photos", 0, PHOTOS)
    first, expected = trial.folder / "first", trial.folder / "expected"
    run_to_end(photos, first, *STAGES)
    make_photos(photos, PHOTOS, MORE)
    run_to_end(photos, expected, *STAGES)
    incremental = Case("incremental", first, expected, second=REFIT)
    cases = [
        Case("from an empty root", trial.folder / "nothing", expected, second=REFIT),
        incremental,
    ]
    if trial.full:
        cases += _slow_cases(trial.folder, photos, first, expected)
    for case in cases:
        yield _repeat(trial, f"overlap: {case.name}, no lease", case, overlap)
    yield _repeat(trial, "lease of a killed run", incremental, kill, 10)
    if trial.full:  # tests/run also has the first two
        yield _repeat(trial, "overlap: refused", incremental, refuse, 5)
        yield _repeat(trial, "overlap: waits", incremental, wait, 5)
        yield _repeat(trial, "lease of a suspended run", incremental, suspend, 10)


def _slow_cases(
    folder: Path, photos: Path, first: Path, expected: Path
) -> Iterator[Case]:
    rebuilt = folder / "rebuilt"
    run_to_end(photos, rebuilt, *STAGES, preprocess__short_side=32)
    yield Case("changed_recipe=rebuild", first, rebuilt, {}, {**REBUILD, **REFIT})
    yield Case("PCA fitted by both", first, expected, REFIT, REFIT)


def _repeat(
    trial: Trial,
    name: str,
    case: Case,
    test: Callable[[Trial, Attempt], str],
    full: int = 13,
) -> Result:
    """Make attempts, each with the run after it, and return their result."""
    attempts = trial.attempts(1, full)
    total, survived, messages = Difference(), 0, []
    for number in range(attempts):
        attempt = Attempt(trial.folder / f"{name}-{number}".replace(",", ""), case)
        attempt.prepare()
        message = test(trial, attempt)
        last = attempt.start("kedro", **case.second)
        if last.wait():
            message = last.message
        difference = compare(case.expected, attempt.root)
        total += difference
        survived += not difference and not message
        messages += [message] if message else []
        shutil.rmtree(attempt.folder)
    text = "; ".join(messages) or "one run at a time, or a conflict"
    return Result(name, attempts, survived, total.lost, total.duplicated, text)


def overlap(trial: Trial, attempt: Attempt) -> str:
    """Run twice without the lease; return what is wrong with the exit codes."""
    seconds = trial.random.uniform(0, 12)
    first = attempt.start(WITHOUT_LEASE, **attempt.case.first)
    time.sleep(seconds)
    attempt.add_photos()
    second = attempt.start(WITHOUT_LEASE, **attempt.case.second)
    codes = first.wait(), second.wait()
    listed = PHOTOS + MORE if not codes[1] else PHOTOS if not codes[0] else 0
    if lost := attempt.lost(listed):
        return f"exit codes {codes} after {seconds:.1f} s, but {lost} rows are missing"
    for finished in (first, second):
        if finished.wait() and CONFLICT not in finished.message:
            return finished.message
    return ""


def refuse(_: Trial, attempt: Attempt) -> str:
    """Start a run while another one holds the lease."""
    first = _start_and_wait_for_lease(attempt)
    attempt.add_photos()
    second = attempt.start("kedro")
    if second.wait() != TRANSIENT or IN_USE not in second.message:
        return f"second run: {second.message}"
    return first.message if first.wait() else ""


def wait(_: Trial, attempt: Attempt) -> str:
    """Start a run that waits for another one."""
    first = _start_and_wait_for_lease(attempt)
    attempt.add_photos()
    second = attempt.start("kedro", concurrent_run="wait")
    if first.wait() or second.wait():
        return f"{first.message}; {second.message}"
    lost = attempt.lost(PHOTOS + MORE)
    return f"{lost} rows are missing" if lost else ""


def kill(trial: Trial, attempt: Attempt) -> str:
    """Kill a run, and start another one at once."""
    first = _start_and_wait_for_lease(attempt)
    time.sleep(trial.random.uniform(0, 5))
    os.killpg(first.process.pid, signal.SIGKILL)
    first.wait()
    attempt.add_photos()
    second = attempt.start("kedro")
    return second.message if second.wait() else ""


def suspend(trial: Trial, attempt: Attempt) -> str:
    """Suspend a run until another one has taken over its lease, and resume it."""
    first = _start_and_wait_for_lease(attempt, SHORT_LEASE)
    time.sleep(trial.random.uniform(0, 3))
    first.process.send_signal(signal.SIGSTOP)
    attempt.add_photos()
    second = attempt.start(SHORT_LEASE)
    time.sleep(trial.random.uniform(8, 20))
    first.process.send_signal(signal.SIGCONT)
    if first.wait() == 0 or second.wait():
        return f"{first.message}; {second.message}"
    return ""


def _start_and_wait_for_lease(attempt: Attempt, module: str = "kedro") -> Run:
    first = attempt.start(module)
    while first.process.poll() is None:
        if (attempt.root / ".lease.json").exists():
            break
        time.sleep(0.05)
    return first
