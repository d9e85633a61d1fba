"""Speeds that were measured with `make bench`, from `benchmarks/results/results.json`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

RESULTS = Path(__file__).parents[1] / "benchmarks/results/results.json"


class Speed(NamedTuple):
    """A measured speed, photos to reduced vectors, without the report.

    Attributes:
        photos_per_second: Median of the rounds.
        photo_kb: Mean size of the photos in KB (1,000 bytes).
        measured: What was measured, and when.
    """

    photos_per_second: float
    photo_kb: float
    measured: str


def one_core() -> Speed:
    """Return the speed of one core with 1 GB of memory, such as both vCPUs of a t3.micro."""
    return _speed("gigabyte", "chain, 1 GB", "one core, 1 GB")


def two_cores() -> Speed:
    """Return the speed of two cores, in a run of 165,608 photos."""
    return _speed("before", "8 N, this", "two cores")


@cache
def _results() -> Any:
    return json.loads(RESULTS.read_text())


def _speed(section: str, name: str, machine: str) -> Speed:
    found = _results()
    rounds = found[section]["runs"][name]
    speed = median(r["photos"] / r["seconds"] for r in rounds)
    photo_kb = found["speed"]["photo_bytes"] / found["speed"]["photos"] / 1000
    date, cpu = found[section]["date"][:10], found[section]["machine"]["cpu"]
    return Speed(speed, photo_kb, f"{machine} of {cpu}, {date}")
