"""Tables of results in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.rounds import Result, middle, spread, values

WHOLE = 100  # numbers from here on are shown without decimals
ONE_DECIMAL = 10


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: Above it.
        header: Of the columns.
        rows: Text and numbers; None is shown as a dash.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Any]]


def markdown(table: Table) -> str:
    """Return a table with its title; the first column is text, the others numbers."""
    marks = ["---", *["---:"] * (len(table.header) - 1)]
    rows = [[cell(value) for value in row] for row in table.rows]
    lines = [f"| {' | '.join(row)} |" for row in (table.header, marks, *rows)]
    return "\n".join([f"**{table.title}**", "", *lines])


def cell(value: Any) -> str:
    """Return a value as short as it can be read."""
    if value is None:
        return "–"
    if isinstance(value, dict):  # median, low, high
        middle_one, low, high = (cell(value[k]) for k in ("median", "low", "high"))
        return middle_one if low == high else f"{middle_one} ({low} to {high})"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        size = abs(value)
        places = 0 if size >= WHOLE else 1 if size >= ONE_DECIMAL else 3
        return f"{value:,.{places}f}"
    return str(value).replace("|", "\\|").replace("\n", " ")


RUN_HEADER = (
    *("", "photos", "photos/s", "seconds", "start, s", "wall, s", "CPU, s"),
    *("driver, MiB", "java, MiB", "workers, MiB", "all, MiB"),
)


def runs_table(title: str, result: Result, without: Sequence[str] = ()) -> Table:
    """Return the runs of a section, a row each contestant, medians over the rounds."""
    rows = []
    shown = {n: runs for n, runs in result["runs"].items() if n not in without}
    for name, runs in shown.items():
        timed = ("seconds", "start_seconds", "wall", "cpu_seconds")
        peaks = ("driver", "java", "workers", "all")
        row: list[Any] = [name, runs[0]["photos"], spread(values(result, name, "rate"))]
        row += [middle(result, name, key) for key in timed]
        row += [middle(result, name, "memory_mib", who) for who in peaks]
        rows.append(row)
    for name in (*result.get("notes", {}), *result.get("failures", {})):
        note = result["notes"].get(name, "failed, see below")
        rows.append([name, note, *[None] * (len(RUN_HEADER) - 2)])
    return Table(title, RUN_HEADER, rows)


def stages_table(title: str, result: Result) -> Table | None:
    """Return the seconds of each stage, a column each run that has stages."""
    names = [name for name, runs in result["runs"].items() if runs[0]["stages"]]
    if not names:
        return None
    stages = list(
        dict.fromkeys(s for n in names for s in result["runs"][n][0]["stages"])
    )
    rows: list[list[Any]] = [
        [stage, *(spread(_seconds(result, name, stage)) for name in names)]
        for stage in stages
    ]
    return Table(title, ("seconds", *names), rows)


def _seconds(result: Result, name: str, stage: str) -> list[float]:
    return [run["stages"].get(stage, 0.0) for run in result["runs"][name]]


def rates(result: Result) -> dict[str, float]:
    """Return the median photos a second of each contestant."""
    found = {name: middle(result, name, "rate") for name in result["runs"]}
    return {name: rate for name, rate in found.items() if rate}
