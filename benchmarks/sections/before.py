"""The chain against that of an earlier commit, in turns on the same photos."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.checkouts import BEFORE, THIS, Checkout, checkouts
from benchmarks.context import Context
from benchmarks.harness import Run
from benchmarks.repeats import repeat
from benchmarks.rounds import (
    Result,
    alternate,
    ratio,
    spread,
    stage_seconds,
    target,
    values,
)
from benchmarks.tables import Table, runs_table, stages_table

TITLE = "Against an earlier commit"
NOT_GIVEN = "not given: --before"
ONE, EIGHT = "N", "8 N"
SIZES = (ONE, EIGHT)
NOTHING_NEW = {size: f"{size}, nothing new" for size in SIZES}
COPIES = 8
MOST_TIME = 1.05  # stage seconds of this checkout over those of the other
MOST_SECONDS = 8  # of a run with nothing new


def run(context: Context) -> Result:
    """Run both checkouts in turns on N and 8 N photos, then with nothing new."""
    if not context.before:
        notes = {BEFORE: NOT_GIVEN}
        return {"rounds": 0, "runs": {}, "notes": notes, "failures": {}, "targets": []}
    both = checkouts(context)
    commits = {checkout.name: checkout.commit() for checkout in both}
    base = context.sample(context.choices.scale_base)
    store = repeat(base.folder, base.paths, context.fresh("repeats"), COPIES)
    photos = {ONE: store / "copy=0", EIGHT: store}
    for checkout in both:  # fills its cache
        checkout.run(photos[ONE], context.fresh("root-warm"))
    archives = {checkout.name: checkout.archive_mb() for checkout in both}
    result = alternate(_contestants(context, both, photos), context.rounds)
    shutil.rmtree(store)
    result |= {"commits": commits, "archives": archives}
    return result | {"targets": _targets(result)}


def _contestants(
    context: Context, both: list[Checkout], photos: Mapping[str, Path]
) -> dict[str, Callable[[int], Run]]:
    """Return whole runs, then runs on what those have made."""

    def whole(checkout: Checkout, size: str) -> Callable[[int], Run]:
        root = _root(checkout, size)
        return lambda _: checkout.run(photos[size], context.fresh(root))

    def again(checkout: Checkout, size: str) -> Callable[[int], Run]:
        root = context.work / _root(checkout, size)
        return lambda _: checkout.run(photos[size], root)

    pairs = [(size, checkout) for size in SIZES for checkout in both]
    first = {_name(size, c.name): whole(c, size) for size, c in pairs}
    return first | {
        _name(NOTHING_NEW[size], c.name): again(c, size) for size, c in pairs
    }


def _name(kind: str, checkout: str) -> str:
    return f"{kind}, {checkout}"


def _root(checkout: Checkout, size: str) -> str:
    return f"root-{size.replace(' ', '')}-{checkout.name}"


def _targets(result: Result) -> list[dict[str, object]]:
    found = [
        target(
            f"stage seconds at {size}, this / before",
            ratio(*(stage_seconds(result, _name(size, who)) for who in (THIS, BEFORE))),
            most=MOST_TIME,
        )
        for size in SIZES
    ]
    for size in SIZES:
        wall = spread(values(result, _name(NOTHING_NEW[size], THIS), "wall"))
        most = MOST_SECONDS if size == ONE else None
        found.append(target(f"nothing new at {size}, wall seconds", wall, most=most))
    return found


def bars(_: Result) -> dict[str, float]:
    """Return none: the figure shows this checkout in other sections."""
    return {}


def tables(result: Result) -> list[Table]:
    """Return the comparison, runs and stages."""
    again = [name for name in result["runs"] if "nothing new" in name]
    found = [_comparison(result)] if result["runs"] else []
    found.append(runs_table("Runs", result, again))
    stages = stages_table("Stages", result)
    return [*found, stages] if stages else found


def _comparison(result: Result) -> Table:
    rows: list[list[Any]] = []
    for kind in (*SIZES, *NOTHING_NEW.values()):
        this, before = (_measured(result, _name(kind, who)) for who in (THIS, BEFORE))
        rows += [
            [f"{kind}: {unit}", spread(this[unit]), spread(before[unit]),
             ratio(this[unit], before[unit])]
            for unit in this
        ]  # fmt: skip
    archives = [result["archives"][who] for who in (THIS, BEFORE)]
    rows.append(["Java's class archive, MB", *archives, None])
    commits = [f"{who}: {result['commits'][who]}" for who in (THIS, BEFORE)]
    return Table(
        "This commit and the earlier one", ("", *commits, "this / before"), rows
    )


def _measured(result: Result, name: str) -> dict[str, list[float]]:
    return {
        "wall, s": values(result, name, "wall"),
        "all stages, s": stage_seconds(result, name),
        "CPU, s": values(result, name, "cpu_seconds"),
        "peak memory, MiB": values(result, name, "memory_mib", "all"),
    }
