"""The kinds of faults, the attempts of one kind, and the table of results."""

from __future__ import annotations

import importlib
import pkgutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from chaos import faults
from chaos.trial import Result, Trial

SLOWEST = ("kills", "overlaps", "erasure", "stores")
"""Faults that start first, so that none of them runs alone at the end."""

NAMES = sorted(
    (module.name for module in pkgutil.iter_modules(faults.__path__)),
    key=lambda name: (name not in SLOWEST, name),
)
HEADER = ("fault", "attempts", "survived", "lost", "duplicated", "message")
MESSAGE_LENGTH = 90


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
