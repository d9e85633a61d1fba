"""Runs of the pipeline and of other programs.

A run is a dictionary, as stored in `results.json`: `photos`; `seconds` of processing and
`start_seconds`; `rate`, photos per second of processing; `stages`, the seconds by stage
of the pipeline; `detail`, other figures; and the figures of `measure`.
All functions pass options to `measure`, and raise `CommandError` if the command fails.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import measure

STAGES = ("ingest", "preprocess", "featurize", "reduce")
"""Stages from photo to reduced vector: the `seconds` of a run, without `report`."""

Run = dict[str, Any]


def kedro_run(
    params: dict[str, Any], *arguments: str, prefix: Sequence[str] = (), **options: Any
) -> Run:
    """Run `kedro run` and return the figures of `measure`.

    Args:
        params: Parameters of the run, among them `root`.
        arguments: Further arguments.
        prefix: Command that runs `kedro`, such as `taskset -c 0`.
        options: Options of `measure`.
    """
    text = ",".join(f"{name}={value}" for name, value in params.items())
    command = [*prefix, sys.executable, "-m", "kedro", "run", "--params", text]
    log = Path(params["root"]).with_name(f"log-{params['root'].name}")
    return measure([*command, *arguments], log, **options)


def run_pipeline(photos: Path, root: Path, *arguments: str, **options: Any) -> Run:
    """Run the default pipeline; arguments and options are those of `kedro_run`."""
    params = {"photos": photos, "root": root, **options.pop("params", {})}
    figures = kedro_run(params, *arguments, **options)
    summary = json.loads((root / "08_reporting/run_summary.json").read_text())
    stages = summary["seconds"]
    seconds = sum(stages.get(stage, 0.0) for stage in STAGES)
    start_seconds = figures["wall"] - sum(stages.values())
    sizes = _measure_sizes(root)
    detail = {"bytes": sizes, "bytes_written": sum(sizes.values())}
    figures |= {"stages": stages, "start_seconds": start_seconds, "detail": detail}
    return _run(summary["photos"], seconds, **figures)


def run_program(module: str, *arguments: object, log: Path, **options: Any) -> Run:
    """Run a module that prints a run as JSON; `python` is among the options."""
    python = str(options.pop("python", sys.executable))
    figures = measure([python, "-m", module, *map(str, arguments)], log, **options)
    last_line = (log / "stdout.txt").read_text().strip().splitlines()[-1]
    return _run(**json.loads(last_line), **figures)


def _run(photos: int, seconds: float, **others: Any) -> Run:
    run = {"photos": photos, "seconds": seconds, "rate": photos / seconds}
    return {**run, "stages": {}, "detail": {}, **others}


def _measure_sizes(root: Path) -> dict[str, int]:
    """Return the bytes of each table or report, by its path below the root."""
    sizes: Counter[str] = Counter()
    for file in sorted(root.rglob("*")):
        if file.is_file():
            path = "/".join(file.relative_to(root).parts[:2])
            sizes[path] += file.stat().st_size
    return sizes
