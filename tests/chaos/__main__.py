"""Run the faults, and print a table of the results: `python -m chaos`."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import pkgutil
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from chaos import faults
from chaos.trial import Result, Trial

NAMES = sorted(module.name for module in pkgutil.iter_modules(faults.__path__))
HEADER = ("fault", "attempts", "survived", "lost", "duplicated", "message")
MESSAGE_LENGTH = 90


@click.command()
@click.option("--full", is_flag=True, help="Make all attempts; takes hours.")
@click.option("--seed", default=1, show_default=True, help="Seed of random choices.")
@click.option("--faults", "names", default=",".join(NAMES), show_default=True)
@click.option("--jobs", default=2, show_default=True, help="Faults at the same time.")
@click.option("--results", type=Path, help="Write the results to this JSON file.")
def main(full: bool, seed: int, names: str, jobs: int, results: Path | None) -> None:
    """Inject faults into runs on this machine. The exit code is 1 if any was not survived."""
    chosen = names.split(",")
    run = partial(run_fault, seed=seed, full=full)
    # Each in a new process, because some start Spark in theirs.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, max_tasks_per_child=1) as pool:
        found = [result for part in pool.map(run, chosen) for result in part]
    click.echo("\n" + table(found))
    if results:
        results.write_text(json.dumps([asdict(r) for r in found], indent=2) + "\n")
    sys.exit(any(result.survived < result.attempts for result in found))


def run_fault(name: str, seed: int, full: bool) -> list[Result]:
    """Make the attempts with one kind of fault, and print their results."""
    module = importlib.import_module(f"chaos.faults.{name}")
    begin = time.monotonic()
    found: list[Result] = []
    with tempfile.TemporaryDirectory(prefix=f"chaos-{name}-") as folder:
        tempfile.tempdir = folder  # for the logs of runs
        for result in module.run(Trial(Path(folder), seed, full)):
            found.append(result)
            click.echo(_row(result))
    click.echo(f"{name}: {time.monotonic() - begin:.0f} s", err=True)
    return found


def table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table."""
    rows = [f"| {' | '.join(HEADER)} |", "|---|---:|---:|---:|---:|---|"]
    return "\n".join([*rows, *map(_row, results)])


def _row(result: Result) -> str:
    values = [str(value).replace("|", "\\|") for value in asdict(result).values()]
    message = values.pop()
    short = message[:MESSAGE_LENGTH] + ("…" if len(message) > MESSAGE_LENGTH else "")
    return f"| {' | '.join([*values, short])} |"


if __name__ == "__main__":
    main()
