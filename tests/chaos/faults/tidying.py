"""Kill `make tidy` at random moments, or run it beside another run without the lease."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from factories import TABLES, read_table

from chaos.contents import Difference, compare
from chaos.trial import Result, Trial, make_photos, run_to_end, start

FIRST, PER_NIGHT, NIGHTS, MORE = 60, 8, 4, 12
STAGES = ("--pipelines", "ingest,preprocess,featurize,reduce")
TIDY = ("--pipelines", "tidy")
CHECK = ("--pipelines", "check")
CONFLICT = "another run has begun to write"
WITHOUT_LEASE = "chaos.without_lease"


def run(trial: Trial) -> Iterator[Result]:
    """Tidy copies of a root with the small batches of several runs."""
    photos, before = _prepare(trial.folder)
    begin = time.monotonic()
    tidied = trial.folder / "tidied"
    shutil.copytree(before, tidied)
    run_to_end(photos, tidied, *TIDY)
    seconds = time.monotonic() - begin
    yield _summarise(
        "kill of make tidy",
        [
            _kill(trial, photos, before, trial.folder / f"killed {number}", seconds)
            for number in range(trial.attempts(2, 25))
        ],
    )
    more, expected = _add_photos(trial.folder, photos, before)
    yield _summarise(
        "make tidy beside a run, without the lease",
        [
            _overlap(trial, more, before, expected, trial.folder / f"both {number}")
            for number in range(trial.attempts(1, 13))
        ],
    )


def _summarise(name: str, outcomes: list[tuple[Difference, str]]) -> Result:
    total = sum((difference for difference, _ in outcomes), Difference())
    survived = sum(not difference and not message for difference, message in outcomes)
    messages = "; ".join(message for _, message in outcomes if message)
    return Result(name, len(outcomes), survived, total.lost, total.duplicated, messages)


def _prepare(folder: Path) -> tuple[Path, Path]:
    """Run the pipeline once, and then after each of several additions of photos."""
    photos, root = make_photos(folder / "photos", 0, FIRST), folder / "before"
    run_to_end(photos, root, *STAGES)
    for night in range(NIGHTS):
        make_photos(photos, FIRST + night * PER_NIGHT, PER_NIGHT)
        run_to_end(photos, root, *STAGES, reduce__refit="never")
    return photos, root


def _add_photos(folder: Path, photos: Path, before: Path) -> tuple[Path, Path]:
    """Return a photo root with more photos, and the root after an undisturbed run."""
    shutil.copytree(photos, folder / "more")
    more = make_photos(folder / "more", FIRST + NIGHTS * PER_NIGHT, MORE)
    shutil.copytree(before, folder / "expected")
    _run_more(more, folder / "expected")
    return more, folder / "expected"


def _run_more(photos: Path, root: Path) -> None:
    run_to_end(photos, root, *STAGES, changed_location="accept", reduce__refit="never")


def _kill(
    trial: Trial, photos: Path, before: Path, root: Path, seconds: float
) -> tuple[Difference, str]:
    """Kill `make tidy`, and continue with it or with a run."""
    shutil.copytree(before, root)
    process = start(photos, root, *TIDY)
    delay = trial.random.uniform(0.2, 1.0) * seconds
    time.sleep(delay)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.process.pid, signal.SIGKILL)
    process.wait()
    arguments = trial.random.choice([TIDY, STAGES])
    continued = start(photos, root, *arguments, reduce__refit="never")
    if continued.wait():
        return Difference(), f"killed after {delay:.1f} s: {continued.message}"
    return compare(before, root), _inconsistency(photos, root)


def _overlap(
    trial: Trial, photos: Path, before: Path, expected: Path, root: Path
) -> tuple[Difference, str]:
    """Start a run and `make tidy` at about the same time; then run once more."""
    shutil.copytree(before, root)
    settings = {"changed_location": "accept", "reduce__refit": "never"}
    first = start(photos, root, *STAGES, module=WITHOUT_LEASE, **settings)
    time.sleep(trial.random.uniform(0, 8))
    second = start(photos, root, *TIDY, module=WITHOUT_LEASE)
    for process in (first, second):
        if process.wait() and CONFLICT not in process.message:
            return Difference(), process.message
    _run_more(photos, root)
    return compare(expected, root), _inconsistency(photos, root)


def _inconsistency(photos: Path, root: Path) -> str:
    """Return what `make check` finds, or which tables have other batches."""
    checked = start(photos, root, *CHECK, changed_location="accept")
    code = checked.wait()
    _, _, errors = checked.output.partition("Error: Found ")
    if code and "defects:" not in errors:
        return checked.message
    lines = [line for line in errors.splitlines() if ": found " in line]
    # The runs make no reports.
    if found := [line for line in lines if not line.startswith("report ")]:
        return found[0]
    batches = {t: {*read_table(root, t)["batch"].to_pylist()} for t in TABLES}
    differing = [t for t, names in batches.items() if names != batches["photos"]]
    return f"other batches in {', '.join(differing)}" if differing else ""
