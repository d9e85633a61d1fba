"""Erase random photos, kill erasures and repeat them, and search for the photos.

A killed erasure is repeated with its arguments or without any, sometimes after a run.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deltalake import DeltaTable
from factories import TABLES, truncated_jpeg, write_files

from chaos.search import Tables, erased_photos, find_traces, read_tables
from chaos.trial import Result, Trial, make_photos, run_to_end, start
from fruits_pipeline.io.search_terms import FILE_NAME

PHOTOS = 90
ODD_PATHS = (
    "Test/Kiwi/été, #2?.jpg",
    "Test/Fig/Lime%20Key 🍎.jpg",
    "Test/Fig/it's.jpg",
)
CORRUPT = "Training/Kiwi/corrupt.jpg"
TWIN = "Training/Fig/twin.jpg"
COMPARED = {"photos": "content", "images": "image", "features": "features"}


@dataclass(frozen=True)
class Case:
    """A root before an erasure.

    Attributes:
        photos: Photo root.
        root: Root of the tables.
        tables: Rows of the tables.
    """

    photos: Path
    root: Path
    tables: Tables


@dataclass
class Outcome:
    """Result of one erasure: numbers of rows, and traces or wrong messages."""

    lost: int = 0
    extra: int = 0
    message: str = ""


def run(trial: Trial) -> Iterator[Result]:
    """Erase photos from copies of a root."""
    case = _prepare(trial.folder)
    seconds = 10.0
    for name, attempts in (
        ("erasure of photos", trial.attempts(1, 6)),
        ("erasure killed and repeated", trial.attempts(1, 25)),
    ):
        outcomes = []
        for number in range(attempts):
            copy = _copy(case, trial.folder / f"{name} {number}")
            begin = time.monotonic()
            is_killed = "killed" in name
            kill_after = trial.random.uniform(0.2, 1.0) * seconds if is_killed else None
            outcomes.append(_erase(trial, copy, kill_after))
            seconds = seconds if is_killed else time.monotonic() - begin
        yield Result(
            name,
            attempts,
            sum(outcome == Outcome() for outcome in outcomes),
            sum(outcome.lost for outcome in outcomes),
            sum(outcome.extra for outcome in outcomes),
            "; ".join(sorted({outcome.message for outcome in outcomes} - {""})),
        )


def _prepare(folder: Path) -> Case:
    """Run all stages on photos with odd names, a corrupt one, and two with equal bytes."""
    photos = make_photos(folder / "photos", 0, PHOTOS)
    files = sorted(photos.rglob("*.jpg"))
    odd = make_photos(folder / "odd", PHOTOS, len(ODD_PATHS)).rglob("*.jpg")
    contents = {p: f.read_bytes() for p, f in zip(ODD_PATHS, sorted(odd), strict=True)}
    contents |= {CORRUPT: truncated_jpeg(1), TWIN: files[0].read_bytes()}
    write_files(photos, contents)
    run_to_end(photos, folder / "root", preprocess__max_error_rate=0.5)
    run_to_end(photos, folder / "root", "--pipelines", "classify")
    return Case(photos, folder / "root", read_tables(folder / "root"))


def _copy(case: Case, folder: Path) -> Case:
    shutil.copytree(case.root, folder / "root")
    shutil.copytree(case.photos, folder / "photos")
    return Case(folder / "photos", folder / "root", case.tables)


def _erase(trial: Trial, case: Case, kill_after: float | None) -> Outcome:
    """Erase random photos by path and by id, run again, and compare."""
    names, paths, ids = _choose(trial, case)
    if kill_after is not None:
        killed = start(case.photos, case.root, *names, command="forget")
        with contextlib.suppress(subprocess.TimeoutExpired):
            killed.wait(kill_after)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(killed.process.pid, signal.SIGKILL)
        killed.process.wait()
        has_begun = (case.root / FILE_NAME).exists()
        names = [] if has_begun and trial.random.random() < 0.5 else names
        if trial.random.random() < 0.3:
            run_to_end(case.photos, case.root, preprocess__max_error_rate=0.5)
    forget = start(case.photos, case.root, *names, command="forget")
    if forget.wait():
        return Outcome(message=forget.message)
    erased = erased_photos(case.tables, paths, ids)
    traces = [*find_traces(case.root, erased)]
    receipts = [*case.root.glob("08_reporting/receipts/*.json")]
    # The photos still exist in the photo root, one of them under another path.
    shutil.copy(case.photos / sorted(paths)[0], case.photos / "Test/Fig/renamed.jpg")
    again = start(case.photos, case.root, preprocess__max_error_rate=0.5)
    if again.wait():
        return Outcome(message=again.message)
    outcome = _compare(case, paths)
    traces += find_traces(case.root, erased)
    outcome.message = "; ".join(traces[:3]) if traces else ""
    if not receipts:
        outcome.message += "no receipt"
    return outcome


def _choose(trial: Trial, case: Case) -> tuple[list[str], set[str], set[str]]:
    """Return arguments of the command, and the paths and ids of the photos."""
    by_path = {row["path"]: row["photo_id"] for row in case.tables["photos"]}
    actions = DeltaTable(str(case.root / TABLES["photos"])).get_add_actions(
        flatten=True
    )
    limits = [*actions.column("min.path").to_pylist()]
    limits += actions.column("max.path").to_pylist()
    chosen = [*trial.random.sample(ODD_PATHS, 2), trial.random.choice(limits)]
    chosen += trial.random.sample(sorted(by_path), 4)
    chosen += trial.random.sample([CORRUPT, TWIN], 1)
    ids = {by_path[path] for path in chosen}
    names = [trial.random.choice([path, by_path[path]]) for path in sorted({*chosen})]
    return names, {path for path, found in by_path.items() if found in ids}, ids


def _compare(case: Case, erased: set[str]) -> Outcome:
    """Compare the tables with the rows before, except those of erased photos."""
    outcome, tables = Outcome(), read_tables(case.root)
    for name, column in COMPARED.items():
        found = [(row["path"], row[column]) for row in tables[name]]
        wanted = [
            (row["path"], row[column])
            for row in case.tables[name]
            if row["path"] not in erased
        ]
        outcome.lost += sum(row not in found for row in wanted)
        outcome.extra += sum(row not in wanted for row in found)
        outcome.extra += len(found) - len({path for path, _ in found})
    return outcome
