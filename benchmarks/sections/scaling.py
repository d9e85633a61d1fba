"""Time and memory by number of photos, and speed by number of cores."""

import os

from benchmarks.context import NEW_SHARE, Context, Program, run_with_new_photos
from benchmarks.measurements import Result, ratio, run_rounds
from benchmarks.runs import run_pipeline
from benchmarks.tables import Table, runs_table, stages_table

MULTIPLES = {"1 N": 1, "2 N": 2, "4 N": 4, "8 N": 8}
ONE_CORE, TWO_CORES = "N, 1 core", "N, 2 cores"
NOTHING_NEW, SOME_NEW = "8 N, nothing new", "8 N, 1 % new"
MAX_TIME_RATIO = 8.4  # of 8 N to N photos
MAX_MEMORY_RATIO = 1.2  # of 8 N to N photos: memory must not grow with photos


def run(context: Context) -> Result:
    """Run N to 8 N photos, N photos on one core and two, and 8 N photos again."""
    photos = context.multiples
    programs: dict[str, Program] = {}
    for name, factor in MULTIPLES.items():
        programs[name] = context.pipeline(photos[factor], f"root-{factor}")
    cores = sorted(map(str, os.sched_getaffinity(0)))
    for name, used in {ONE_CORE: cores[:1], TWO_CORES: cores[:2]}.items():
        prefix = ("taskset", "-c", ",".join(used))
        programs[name] = context.pipeline(photos[1], "root-cores", prefix=prefix)
    root = context.work / "root-8"
    programs[NOTHING_NEW] = lambda: run_pipeline(photos[8], root)
    programs[SOME_NEW] = lambda: run_with_new_photos(photos[8], root)
    result = run_rounds(programs, context.rounds)
    _add_targets(result)
    return result


def _add_targets(result: Result) -> None:
    again = (result.figures(n, "stage_seconds") for n in (SOME_NEW, NOTHING_NEW))
    added = [some - nothing for some, nothing in zip(*again, strict=False)]
    new = ratio(added, result.figures("8 N", "stage_seconds"))
    time = result.ratio("8 N", "1 N", "stage_seconds")
    memory = result.ratio("8 N", "1 N", "memory_mib.all")
    add = result.add_target
    add("time of 8 N / of N photos, less start", time, most=MAX_TIME_RATIO)
    add("1 % new of 8 N, less nothing new / 8 N", new, most=3 * NEW_SHARE)
    add("peak memory of 8 N / of N photos", memory, most=MAX_MEMORY_RATIO)
    add("photos/s on 2 cores / on 1 core", result.ratio(TWO_CORES, ONE_CORE))


def tables(result: Result) -> list[Table]:
    """Return runs, stages, and bytes written."""
    rows = [
        [name, runs[0]["photos"], runs[0]["detail"]["bytes_written"] / 1e6]
        for name, runs in result["runs"].items()
        if name not in (NOTHING_NEW, SOME_NEW)
    ]
    title = "Runs; the copies of all sets are made in the same way"
    written = Table("Written", ("", "photos", "MB"), rows)
    return [runs_table(result, title), stages_table(result), written]
