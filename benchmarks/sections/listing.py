"""Time and memory of listing and planning, by the number of synthetic keys."""

from functools import partial

from benchmarks.context import NEW_SHARE, Context, Program
from benchmarks.measurements import Result, run_rounds
from benchmarks.runs import Run, run_program
from benchmarks.tables import Table, runs_table

KEYS = {"10⁴ keys": 10**4, "10⁵ keys": 10**5, "10⁶ keys": 10**6, "10⁷ keys": 10**7}
UNCHANGED, SOME_NEW = "unchanged", "1 % new"
MAX_GROWTH_MIB = 64  # from ranges of 10,000 rows to ranges of 50,000


def run(context: Context) -> Result:
    """Plan listings of 10^4 to 10^7 keys, of which none or 1 % are new."""
    programs: dict[str, Program] = {}
    for name, keys in KEYS.items():
        if keys > (context.max_photos or keys):
            continue
        for kind, share in {UNCHANGED: 0.0, SOME_NEW: NEW_SHARE}.items():
            program = partial(_plan, context, keys, round(share * keys))
            programs[f"{name}, {kind}"] = program
    result = run_rounds(programs, context.rounds)
    first, *_, last = programs
    before = result.figures(first, "memory_mib.driver")
    after = result.figures(last, "memory_mib.driver")
    growth = [b - a for a, b in zip(before, after, strict=True)]
    found = {"median": sorted(growth)[len(growth) // 2], "low": min(growth)}
    found["high"] = max(growth)
    name = f"memory of {last} - of {first}, MiB"
    result.add_target(name, found, most=MAX_GROWTH_MIB)
    return result


def _plan(context: Context, keys: int, new: int) -> Run:
    arguments = (keys, new, context.empty("listing"))
    log = context.work / "log-listing"
    return run_program("benchmarks.programs.listing", *arguments, log=log)


def tables(result: Result) -> list[Table]:
    """Return the runs."""
    title = "Listing and planning, without the requests to a store"
    return [runs_table(result, title)]
