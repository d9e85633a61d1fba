"""Let contestants take turns, and say what came out: medians, ratios, targets.

Results are plain dictionaries, as they stand in `results.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from statistics import median
from typing import Any

from benchmarks.harness import Run
from benchmarks.processes import NotInstalled, RunFailed

Contestants = Mapping[str, Callable[[int], Run]]
"""By name: a function that runs a contestant in a round, counted from 0."""

Result = dict[str, Any]
"""Of a section: `runs` by contestant, `notes` and `failures` by contestant, ..."""


def alternate(contestants: Contestants, rounds: int) -> Result:
    """Run A B C A B C ..., so that a drift of the machine's speed hits all alike.

    A contestant that fails, or is not installed, is left out of further rounds.
    """
    runs: dict[str, list[dict[str, Any]]] = {}
    notes: dict[str, str] = {}
    failures: dict[str, str] = {}
    for i in range(rounds):
        for name in [n for n in contestants if n not in notes and n not in failures]:
            try:
                run = contestants[name](i)
            except NotInstalled as exc:
                notes[name] = f"not installed here: {exc}"
                print(f"  {name}: {notes[name]}", flush=True)
            except RunFailed as exc:
                failures[name] = str(exc)
                print(f"  {name}: {exc}", flush=True)
            else:
                runs.setdefault(name, []).append(asdict(run) | {"rate": run.rate})
                print(f"  {i + 1}. {name}: {_in_short(run)}", flush=True)
    return {"rounds": rounds, "runs": runs, "notes": notes, "failures": failures}


def add(result: Result, more: Result) -> None:
    """Add runs, notes and failures of another result."""
    for kind in ("runs", "notes", "failures"):
        result.setdefault(kind, {}).update(more[kind])


def _in_short(run: Run) -> str:
    return (
        f"{run.photos:,} photos, {run.rate:,.1f} a second, {run.wall:.1f} s in all, "
        f"{run.memory_mib['all']:,.0f} MiB"
    )


def values(result: Result, name: str, *keys: str) -> list[float]:
    """Return a value of a contestant for each round; none where it did not run.

    Args:
        result: Of a section.
        name: Of the contestant.
        keys: The way to the value, such as `stages`, `featurize`.
    """
    found = []
    for run in result["runs"].get(name, []):
        value: Any = run
        for key in keys:
            value = value.get(key)
        found.append(float(value))
    return found


def stage_seconds(result: Result, name: str) -> list[float]:
    """Return the seconds of all stages, report among them, for each round."""
    return [sum(run["stages"].values()) for run in result["runs"].get(name, [])]


def middle(result: Result, name: str, *keys: str) -> float | None:
    """Return the median over the rounds of a value of a contestant."""
    found = values(result, name, *keys)
    return median(found) if found else None


def spread(found: list[float]) -> dict[str, float] | None:
    """Return the median, least and most of some values; None of none."""
    if not found:
        return None
    return {"median": median(found), "low": min(found), "high": max(found)}


def ratio(top: list[float], bottom: list[float]) -> dict[str, float] | None:
    """Return the ratio of two medians, and the least and most of any round."""
    if not top or not bottom or min(bottom) <= 0:
        return None
    pairs = [a / b for a, b in zip(top, bottom, strict=False)]
    return {
        "median": median(top) / median(bottom),
        "low": min(pairs),
        "high": max(pairs),
    }


def target(
    name: str,
    found: dict[str, float] | None,
    *,
    least: float | None = None,
    most: float | None = None,
) -> dict[str, Any]:
    """Return a figure and the target that it is held to, where there is one.

    Args:
        name: What is measured, with its unit where it is no ratio.
        found: Median, least and most; None where it could not be measured.
        least: The target is at least this.
        most: The target is at most this.
    """
    return {"name": name, "found": found, "least": least, "most": most}


def is_met(entry: Mapping[str, Any]) -> bool | None:
    """Tell whether a target is met; None where it is none, or was not measured."""
    found, least, most = entry["found"], entry["least"], entry["most"]
    if found is None or (least is None and most is None):
        return None
    if least is not None and found["median"] < least:
        return False
    return most is None or bool(found["median"] <= most)
