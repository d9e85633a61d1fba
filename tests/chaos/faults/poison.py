"""Photos that crash their decoder, exhaust its memory, make it hang or raise errors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import poison
from factories import PROJECT, read_table, write_files

from chaos.contents import compare
from chaos.trial import Result, Run, Trial, make_photos, run_to_end, start

PHOTOS = 160
LIMITS = {
    "preprocess__seconds_per_photo": poison.SECONDS,
    "preprocess__max_error_rate": 1.0,
}
FOLDERS = ("src", "tests", "tests/chaos/poisoned_decoder")


def run(trial: Trial) -> Iterator[Result]:
    """Run once with poison photos of all kinds, and yield a result for each kind."""
    photos, root = trial.folder / "photos", trial.folder / "root"
    make_photos(photos, 0, PHOTOS)
    run_to_end(photos, trial.folder / "expected")
    paths = _add_poison(trial, photos, trial.attempts(2, 20))
    finished = _start_poisoned(photos, root)
    if finished.wait():
        message = finished.message
        yield Result("poison photos", 1, 0, lost=PHOTOS, message=message)
        return
    difference = compare(trial.folder / "expected", root)
    # Only `photos` and `images` have a row for each poison photo.
    extra = difference.duplicated - 2 * sum(map(len, paths.values()))
    errors = _errors(root)
    for kind, expected in paths.items():
        reasons = [errors.get(path, "not named") for path in expected]
        named = sum(poison.KINDS[kind][1] in reason for reason in reasons)
        is_intact = not difference.lost and not extra
        yield Result(
            f"poison photo: {kind}",
            len(expected),
            named if is_intact else 0,
            difference.lost,
            max(0, extra),
            reasons[0],
        )


def _add_poison(trial: Trial, photos: Path, count: int) -> dict[str, list[str]]:
    """Write poison photos of each kind between the others; return their paths."""
    paths = {}
    for kind in poison.KINDS:
        numbers = trial.random.sample(range(PHOTOS), count)
        paths[kind] = [f"Test/Kiwi/{number:05d} {kind}.jpg" for number in numbers]
        write_files(photos, dict.fromkeys(paths[kind], poison.photo(kind)))
    return paths


def _start_poisoned(photos: Path, root: Path) -> Run:
    path = os.pathsep.join(f"{PROJECT}/{folder}" for folder in FOLDERS)
    return start(photos, root, environ={"PYTHONPATH": path}, **LIMITS)


def _errors(root: Path) -> dict[str, str]:
    """Return the errors in the list of rejects that the table `images` has, too."""
    stored = {
        row["path"]: row["error"] for row in read_table(root, "images").to_pylist()
    }
    rejects = pd.read_csv(root / "08_reporting/rejects.csv")
    listed = zip(rejects["path"], rejects["error"], strict=True)
    return {path: error for path, error in listed if stored[path] == error}
