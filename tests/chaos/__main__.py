"""Run the faults, and print a table of the results: `python -m chaos`."""

from __future__ import annotations

import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from chaos.suite import NAMES, run_fault, table


@click.command()
@click.option("--full", is_flag=True, help="Make all attempts; takes hours.")
@click.option("--seed", default=1, show_default=True, help="Seed of random choices.")
@click.option("--faults", "names", default=",".join(NAMES), show_default=True)
@click.option("--jobs", default=3, show_default=True, help="Faults at the same time.")
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


if __name__ == "__main__":
    main()
