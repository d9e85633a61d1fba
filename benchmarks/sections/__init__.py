"""Sections: groups of measurements, with a function that runs them, and tables."""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.context import Context
from benchmarks.measurements import Result
from benchmarks.sections import (
    before,
    gigabyte,
    latency,
    listing,
    million,
    peers,
    scaling,
    speed,
)
from benchmarks.tables import Table, runs_and_stages


class Section(NamedTuple):
    """A section of the page."""

    title: str
    run: Callable[[Context], Result]
    tables: Callable[[Result], list[Table]] = runs_and_stages


SECTIONS = {
    "speed": Section("Against the raw limit of the machine", speed.run, speed.tables),
    "usual": Section("Against the usual way", peers.run_usual_way),
    "peers": Section("Against other tools", peers.run, peers.tables),
    "scaling": Section("Scaling", scaling.run, scaling.tables),
    "latency": Section("Ingest from a slow bucket", latency.run, latency.tables),
    "gigabyte": Section(
        "In 1 GB of memory, on one core", gigabyte.run, gigabyte.tables
    ),
    "listing": Section(
        "Listing and planning by number of photos", listing.run, listing.tables
    ),
    "million": Section(
        "A million photos in 1 GB of memory", million.run, million.tables
    ),
    "before": Section("Against an earlier commit", before.run, before.tables),
}
"""All sections by name, in the order of the page."""
