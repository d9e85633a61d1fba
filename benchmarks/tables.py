"""Tables in Markdown."""

from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from benchmarks.measurements import Result

HUNDRED, TEN = 100, 10
RUN_FIGURES = {
    "seconds": "seconds",
    "start, s": "start_seconds",
    "wall, s": "wall",
    "CPU, s": "cpu_seconds",
    "driver, MiB": "memory_mib.driver",
    "java, MiB": "memory_mib.java",
    "workers, MiB": "memory_mib.workers",
    "all, MiB": "memory_mib.all",
}


class Table(NamedTuple):
    """A table; cells are text, numbers, spreads, or None for no value."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def markdown(self) -> str:
        """Return title and table; all columns but the first are aligned to the right."""
        alignment = ["---", *["---:"] * (len(self.header) - 1)]
        cells = [[format_cell(value) for value in row] for row in self.rows]
        lines = [f"| {' | '.join(row)} |" for row in (self.header, alignment, *cells)]
        return "\n".join([f"**{self.title}**", "", *lines])


def format_cell(value: Any) -> str:
    """Format a cell; numbers below 100 get three significant digits or more."""
    if value is None:
        return "–"
    if isinstance(value, dict):
        middle, low, high = (format_cell(value[k]) for k in ("median", "low", "high"))
        return middle if low == high else f"{middle} ({low} to {high})"
    if isinstance(value, float):
        decimals = 0 if abs(value) >= HUNDRED else 1 if abs(value) >= TEN else 3
        return f"{value:,.{decimals}f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def runs_table(
    result: Result, title: str = "Runs", exclude: Sequence[str] = ()
) -> Table:
    """Return medians of the runs, one row for each program."""
    rows: list[list[Any]] = []
    for name, runs in result["runs"].items():
        if name not in exclude:
            keys = RUN_FIGURES.values()
            figures = [median(result.figures(name, key)) for key in keys]
            rows.append([name, runs[0]["photos"], result.spread(name), *figures])
    return Table(title, ["", "photos", "photos/s", *RUN_FIGURES], rows)


def stages_table(result: Result) -> Table:
    """Return the seconds of each stage, one column for each run of the pipeline."""
    stages = {name: runs[0]["stages"] for name, runs in result["runs"].items()}
    names = [name for name, seconds in stages.items() if seconds]
    rows = [
        [stage, *(result.spread(name, f"stages.{stage}") for name in names)]
        for stage in dict.fromkeys(stage for name in names for stage in stages[name])
    ]
    return Table("Stages", ["seconds", *names], rows)


def runs_and_stages(result: Result) -> list[Table]:
    """Return both tables."""
    return [runs_table(result), stages_table(result)]
