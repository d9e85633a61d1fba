"""Where a photo's time goes in one worker, step by step."""

from __future__ import annotations

from benchmarks.context import Context
from benchmarks.harness import run_program
from benchmarks.rounds import Result, alternate, middle, spread, values
from benchmarks.tables import Table

TITLE = "Where a photo's time goes"
WORKER = "one worker"
PHOTOS = 2000


def run(context: Context) -> Result:
    """Time the steps in a process of its own."""
    photos = context.sample(PHOTOS)
    work = context.fresh("one-worker")
    environ = {"OPENBLAS_NUM_THREADS": "1"}
    result = alternate(
        {
            WORKER: lambda _: run_program(
                "benchmarks.sections.one_worker",
                *(str(photos.list_file), str(work)),
                log=context.work / "logs/one-worker",
                env=environ,
            )
        },
        context.rounds,
    )
    return result | {"targets": []}


def bars(_: Result) -> dict[str, float]:
    """Return none: these are parts of one."""
    return {}


def tables(result: Result) -> list[Table]:
    """Return microseconds a photo by step, and their share of an inference."""
    if not result["runs"]:
        return []
    infer = middle(result, WORKER, "detail", "featurize: infer")
    rows = [
        [step, spread(found), found[0] / infer if infer else None]
        for step in result["runs"][WORKER][0]["detail"]
        if (found := values(result, WORKER, "detail", step))
    ]
    header = ("step", "us a photo, one core", "/ infer")
    return [Table("Steps, Spark left out", header, rows)]
