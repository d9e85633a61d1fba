"""What contestants share: arguments, the clock, a process a core, and the closing line.

A contestant is `python -m benchmarks.contestants.NAME --photos LIST --work FOLDER`. The
last line that it prints is a JSON object:

    {"photos": 600, "seconds": 0.4, "start_seconds": 1.9, "detail": {...}}

`seconds` is from the first photo read to the last result written or held,
`start_seconds` from the birth of the process to that clock's start: imports, runtime,
model, and a warm-up on 16 photos. Laying out photos for a contestant is in neither.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

PROJECT = Path(__file__).parents[2]
WARM_UP = 16
"""Photos of the warm-up."""

MISSING = 3
"""Exit status where a contestant's package is not installed."""

Share = TypeVar("Share")
Ready = TypeVar("Ready")


@dataclass(frozen=True)
class Task:
    """What a contestant is asked to do.

    Attributes:
        photos: JPEG files.
        work: Folder for what is laid out and written; it exists.
        weights: Weights file of MobileNetV2, for those that build it with Keras.
        alpha: Its width multiplier, for the same.
        size: Side of its square input in pixels, for the same.
        backbone: Folder of a LiteRT backbone, for those that run one.
    """

    photos: list[Path]
    work: Path
    weights: Path | None
    alpha: float
    size: int
    backbone: Path

    @property
    def warm_up(self) -> list[Path]:
        """The photos that are embedded before the clock starts."""
        return self.photos[:WARM_UP]


@dataclass(frozen=True)
class Race:
    """How a race of processes went.

    Attributes:
        photos: Number of results.
        seconds: From the start of all to the end of the last.
        started: Age of this process when the race began, in seconds.
    """

    photos: int
    seconds: float
    started: float


def read_task(doc: str | None, needs_weights: bool = False) -> Task:
    """Read the arguments of a contestant.

    Args:
        doc: Docstring of the contestant, whose first line is shown as help.
        needs_weights: Whether it can do nothing without a weights file.
    """
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--photos", type=Path, required=True, help="file of paths")
    parser.add_argument("--work", type=Path, required=True, help="folder to write to")
    parser.add_argument("--weights", type=Path, required=needs_weights)
    parser.add_argument("--alpha", type=float, default=0.35)
    parser.add_argument("--size", type=int, default=128)
    backbone = PROJECT / "data/06_models/backbone"
    parser.add_argument("--backbone", type=Path, default=backbone)
    found = vars(parser.parse_args())
    photos = [Path(line) for line in found["photos"].read_text().splitlines() if line]
    if not photos:
        parser.error(f"found no path in {found['photos']}")
    found["work"].mkdir(parents=True, exist_ok=True)
    return Task(**found | {"photos": photos, "work": found["work"].resolve()})


def need(package: str) -> None:
    """End with status 3 and one line on stderr if a package is not installed."""
    if importlib.util.find_spec(package) is None:
        print(f"missing package: {package}", file=sys.stderr)
        sys.exit(MISSING)


def age() -> float:
    """Return the seconds since this process was born, its interpreter's start included."""
    after_name = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()
    born = int(after_name[19]) / os.sysconf("SC_CLK_TCK")  # proc_pid_stat(5), field 22
    return time.clock_gettime(time.CLOCK_BOOTTIME) - born


def race(
    shares: Sequence[Share],
    prepare: Callable[[Share], Ready],
    work: Callable[[Ready], int],
) -> Race:
    """Work on each share in a process of its own, timed from when all are ready.

    Args:
        shares: One for each process.
        prepare: What a process does before the clock starts.
        work: What is timed; returns the number of results.
    """
    pipes = [_enter(share, prepare, work) for share in shares]
    for pipe in pipes:
        pipe.recv()
    started, begin = age(), time.perf_counter()
    for pipe in pipes:
        pipe.send("go")
    photos = sum(pipe.recv() for pipe in pipes)
    return Race(photos, time.perf_counter() - begin, started)


def _enter(
    share: Share, prepare: Callable[[Share], Ready], work: Callable[[Ready], int]
) -> Connection:
    """Start a process; return the pipe by which it says that it is ready, and done."""
    ours, theirs = multiprocessing.Pipe()
    arguments = (share, prepare, work, theirs)
    multiprocessing.Process(target=_run, args=arguments, daemon=True).start()
    theirs.close()  # so that the death of its process ends the wait for it
    return ours


def _run(
    share: Share,
    prepare: Callable[[Share], Ready],
    work: Callable[[Ready], int],
    pipe: Connection,
) -> None:
    ready = prepare(share)
    pipe.send("ready")
    pipe.recv()
    pipe.send(work(ready))


def emptied(folder: Path) -> str:
    """Remove a folder of an earlier run; return its path."""
    shutil.rmtree(folder, ignore_errors=True)
    return str(folder)


def rows(folder: Path | str) -> int:
    """Return the number of rows in the Parquet files of a folder."""
    import pyarrow.parquet as pq

    files = Path(folder).rglob("*.parquet")
    return sum(pq.read_metadata(file).num_rows for file in files)


def report(
    photos: int, seconds: float, start_seconds: float, detail: dict[str, Any]
) -> None:
    """Print the line that a contestant ends with.

    Args:
        photos: Number of results.
        seconds: Of the timed work.
        start_seconds: Before it.
        detail: What else is worth knowing; figures rounded by who gives them.
    """
    line = {
        "photos": photos,
        "seconds": round(seconds, 4),
        "start_seconds": round(start_seconds, 3),
        "detail": detail,
    }
    print(json.dumps(line), flush=True)
