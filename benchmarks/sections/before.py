"""The pipeline compared with that of an earlier commit, on the same photos."""

from typing import Any

from benchmarks.context import BEFORE, THIS, Context, Program
from benchmarks.measurements import Result, run_rounds
from benchmarks.tables import Table, runs_table, stages_table

FACTORS = {"N": 1, "8 N": 8, "N, nothing new": 1, "8 N, nothing new": 8}
"""Multiples of the photos by kind of run; runs with nothing new follow the others."""

MAX_TIME_RATIO = 1.05
MAX_SECONDS = {"N": 8, "8 N": None}  # of a run with nothing new
FIGURES = {
    "wall, s": "wall",
    "all stages, s": "stage_seconds",
    "CPU, s": "cpu_seconds",
    "peak memory, MiB": "memory_mib.all",
}


def run(context: Context) -> Result:
    """Run both checkouts on N and 8 N photos, then again with nothing new."""
    archives = {}
    for name in context.checkouts:
        photos, root = context.multiples[1], context.empty("root-warm-up")
        context.run_checkout(name, photos, root)  # fills its cache
        files = context.cache(name).rglob("*.jsa*")
        archives[name] = sum(file.stat().st_size for file in files) / 1e6
    programs = {
        f"{kind}, {name}": _program(context, name, kind)
        for kind in FACTORS
        for name in context.checkouts
    }
    result = run_rounds(programs, context.rounds)
    result |= {"commits": context.commits(), "archives": archives}
    for size in MAX_SECONDS:
        ratio = result.ratio(f"{size}, {THIS}", f"{size}, {BEFORE}", "stage_seconds")
        title = f"stage seconds at {size}, this / before"
        result.add_target(title, ratio, most=MAX_TIME_RATIO)
    for size, most in MAX_SECONDS.items():
        wall = result.spread(f"{size}, nothing new, {THIS}", "wall")
        result.add_target(f"nothing new at {size}, wall seconds", wall, most=most)
    return result


def _program(context: Context, name: str, kind: str) -> Program:
    factor = FACTORS[kind]
    photos, root = context.multiples[factor], f"root-{factor}-{name}"
    if "nothing new" in kind:
        return lambda: context.run_checkout(name, photos, context.work / root)
    return lambda: context.run_checkout(name, photos, context.empty(root))


def tables(result: Result) -> list[Table]:
    """Return the comparison, runs and stages."""
    rows: list[list[Any]] = []
    for kind in FACTORS:
        this, before = f"{kind}, {THIS}", f"{kind}, {BEFORE}"
        for unit, key in FIGURES.items():
            spreads = [result.spread(name, key) for name in (this, before)]
            rows.append([f"{kind}: {unit}", *spreads, result.ratio(this, before, key)])
    archives, commits = result["archives"], result["commits"]
    rows.append(["Java's class archive, MB", archives[THIS], archives[BEFORE], None])
    header = ["", *(f"{name}: {commits[name]}" for name in (THIS, BEFORE))]
    title = "This commit and the earlier one"
    comparison = Table(title, [*header, "this / before"], rows)
    again = [name for name in result["runs"] if "nothing new" in name]
    return [comparison, runs_table(result, exclude=again), stages_table(result)]
