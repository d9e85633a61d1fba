"""Repeated runs, their medians and ratios, and targets."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import click

from benchmarks.runs import Run

PIPELINE = "chain"
"""Name of the pipeline in results; kept, so that published results stay readable."""

Spread = dict[str, float]
"""`median`, `low` and `high` of several rounds."""


class SkippedError(Exception):
    """A section cannot be measured on this machine; the message has the reason."""


class Result(dict[str, Any]):
    """Result of a section, as stored in `results.json`.

    It has `rounds`; `runs`, by program and round; `targets`; and further figures of the
    section. Figures of runs have keys such as `wall`, `memory_mib.all`, or
    `stage_seconds` for the sum of all stages.
    """

    def figures(self, name: str, key: str = "rate") -> list[float]:
        """Return a figure of each round; empty if the program did not run."""
        return [_figure(run, key) for run in self["runs"].get(name, [])]

    def spread(self, name: str, key: str = "rate") -> Spread | None:
        """Return median, minimum and maximum of a figure."""
        return spread(self.figures(name, key))

    def ratio(self, name: str, other: str, key: str = "rate") -> Spread | None:
        """Return the ratio of a figure of two programs."""
        return ratio(self.figures(name, key), self.figures(other, key))

    def add_target(
        self, name: str, found: Spread | None, **bounds: float | None
    ) -> None:
        """Add a figure; the bounds `least` and `most` are those of its median."""
        entry = {"name": name, "found": found, "least": None, "most": None, **bounds}
        self.setdefault("targets", []).append(entry)


def _figure(run: Run, key: str) -> float:
    if key == "stage_seconds":
        return float(sum(run["stages"].values()))
    value: Any = run
    for part in key.split("."):
        value = value[part]
    return float(value)


def spread(numbers: Sequence[float]) -> Spread | None:
    """Return median, minimum and maximum; None if there are no numbers."""
    if not numbers:
        return None
    return {"median": median(numbers), "low": min(numbers), "high": max(numbers)}


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Spread | None:
    """Return the ratio of the medians, and minimum and maximum of the rounds' ratios.

    None if either has no numbers, or a denominator is not positive.
    """
    if not numerators or not denominators or min(denominators) <= 0:
        return None
    by_round = [a / b for a, b in zip(numerators, denominators, strict=False)]
    middle = median(numerators) / median(denominators)
    return {"median": middle, "low": min(by_round), "high": max(by_round)}


def run_rounds(programs: Mapping[str, Callable[[], Run]], rounds: int) -> Result:
    """Run A B C A B C ..., so that a drift of the machine's speed affects all alike.

    Raises:
        CommandError: If a program fails.
    """
    runs: dict[str, list[Run]] = {name: [] for name in programs}
    for i in range(rounds):
        for name, program in programs.items():
            run = program()
            runs[name].append(run)
            click.echo(
                f"  {i + 1}. {name}: {run['photos']:,} photos, {run['rate']:,.1f}/s, "
                f"{run['wall']:.1f} s, {run['memory_mib']['all']:,.0f} MiB"
            )
    return Result(rounds=rounds, runs=runs)
