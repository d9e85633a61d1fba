"""How time and memory grow with the photos, and how speed grows with the cores."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.context import Context, photos_below
from benchmarks.harness import Run, run_chain
from benchmarks.repeats import repeat, write_changed
from benchmarks.rounds import (
    Result,
    alternate,
    middle,
    ratio,
    stage_seconds,
    target,
    values,
)
from benchmarks.tables import Table, runs_table, stages_table

TITLE = "Scaling"
TIMES = (1, 2, 4, 8)
NEW_SHARE = 0.01
NOTHING_NEW, SOME_NEW = "8 N, nothing new", "8 N, 1 % new"
MOST_CORES = 2
MOST_TIME = 8.4  # time of 8 N photos over that of N
MOST_MEMORY = 1.2  # peak of 8 N photos over that of N: it is to be flat


def run(context: Context) -> Result:
    """Run N to 8 N photos in turns, N on one core and on two, and 8 N once more."""
    base = context.sample(context.choices.scale_base)
    store = context.fresh("repeats")
    repeat(base.folder, base.paths, store, max(TIMES))
    contestants = {
        f"{times} N": lambda _, t=times: _grown(context, store, t) for times in TIMES
    }
    allowed = sorted(os.sched_getaffinity(0))[:MOST_CORES]
    for count in range(1, len(allowed) + 1):
        names = ",".join(map(str, allowed[:count]))
        contestants[f"N, {_cores(count)}"] = lambda _, n=names: _grown(
            context, store, 1, "taskset", "-c", n
        )
    # In this order each finds what it is named for: the run before is complete.
    contestants[NOTHING_NEW] = lambda _: _again(context, store, 0)
    contestants[SOME_NEW] = lambda _: _again(context, store, NEW_SHARE)
    result = alternate(contestants, context.rounds)
    shutil.rmtree(store)
    result["targets"] = _targets(result)
    return result


def _cores(count: int) -> str:
    return "1 core" if count == 1 else f"{count} cores"


def _grown(context: Context, store: Path, times: int, *prefix: str) -> Run:
    """Run the chain on the first copies of the photos, with nothing made yet."""
    root = context.fresh(_root_of(times))
    with _moved(store, context.work / "photos-scaled", times) as photos:
        done = run_chain(photos, root, prefix=prefix)
    size = sum(f.stat().st_size for f in root.rglob("*") if f.is_file())
    done.detail["bytes_written"] = size
    return done


def _root_of(times: int) -> str:
    """Return where the tables of the most photos stay, and where others follow others."""
    return "root-most" if times == max(TIMES) else "root"


def _again(context: Context, store: Path, share: float) -> Run:
    """Run the chain on all copies once more, with a share of them new."""
    with _moved(store, context.work / "photos-scaled", max(TIMES)) as photos:
        first = photos_below(photos / "copy=0")
        count = round(share * len(first) * max(TIMES))
        chosen = [first[i * len(first) // count] for i in range(count)]
        for old in chosen:
            new = photos / "copy=new" / old.relative_to(photos / "copy=0")
            write_changed(old, new, seed=max(TIMES))
        done = run_chain(photos, context.work / _root_of(max(TIMES)))
        shutil.rmtree(photos / "copy=new", ignore_errors=True)
    return done


@contextmanager
def _moved(store: Path, folder: Path, copies: int) -> Iterator[Path]:
    """Move some copies into a folder, for as long as they are read there."""
    folder.mkdir(exist_ok=True)
    names = [f"copy={i}" for i in range(copies)]
    for name in names:
        (store / name).rename(folder / name)
    try:
        yield folder
    finally:
        for name in names:
            (folder / name).rename(store / name)


def _targets(result: Result) -> list[dict[str, object]]:
    def peak(name: str) -> list[float]:
        return values(result, name, "memory_mib", "all")

    def rate(name: str) -> list[float]:
        return values(result, name, "rate")

    return [
        target(
            "time of 8 N / of N photos, less start",
            ratio(stage_seconds(result, "8 N"), stage_seconds(result, "1 N")),
            most=MOST_TIME,
        ),
        target(
            "1 % new of 8 N, less nothing new / 8 N",
            ratio(
                [
                    new - nothing
                    for new, nothing in zip(
                        stage_seconds(result, SOME_NEW),
                        stage_seconds(result, NOTHING_NEW),
                        strict=False,
                    )
                ],
                stage_seconds(result, "8 N"),
            ),
            most=NEW_SHARE * 3,
        ),
        target(
            "peak memory of 8 N / of N photos",
            ratio(peak("8 N"), peak("1 N")),
            most=MOST_MEMORY,
        ),
        target(
            "photos/s on 2 cores / on 1 core",
            ratio(rate("N, 2 cores"), rate("N, 1 core")),
        ),
    ]


def lines(result: Result) -> list[tuple[int, float, float]]:
    """Return photos, seconds of all stages, and peak memory in MiB, by growing N."""
    found = []
    for times in TIMES:
        name = f"{times} N"
        for run in result["runs"].get(name, [])[:1]:
            peak = middle(result, name, "memory_mib", "all") or 0.0
            seconds = sorted(stage_seconds(result, name))
            found.append((run["photos"], seconds[len(seconds) // 2], peak))
    return found


def bars(_: Result) -> dict[str, float]:
    """Return none: these runs have lines of their own."""
    return {}


def tables(result: Result) -> list[Table]:
    """Return runs, stages, and bytes written."""
    rows = [
        [name, runs[0]["photos"], runs[0]["detail"]["bytes_written"] / 1e6]
        for name, runs in result["runs"].items()
        if "bytes_written" in runs[0]["detail"]
    ]
    found = [
        runs_table("Runs; the copies of all sets are made in the same way", result),
        stages_table("Stages", result),
        Table("Written", ("", "photos", "MB"), rows),
    ]
    return [table for table in found if table]
