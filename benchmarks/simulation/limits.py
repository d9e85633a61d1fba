"""What breaks first as a collection grows, and what to change then."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.simulation.model import Model

HOUR, DAY = 3600, 86_400
ONE, MANY = "one server", "16 workers"
MAX_PHOTOS = 10**10


class Limit(NamedTuple):
    """A limit of the pipeline.

    Attributes:
        photos: Number of photos from which the limit is exceeded; None if it never is.
        name: What breaks.
        change: What to change.
    """

    photos: int | None
    name: str
    change: str


def find_limits(model: Model) -> list[Limit]:
    """Return the limits in the order in which they are reached."""
    one, many = (model.units["machines"][name] for name in (ONE, MANY))

    def memory(machine: dict[str, float]) -> Callable[[int], bool]:
        return lambda n: model.driver_mib(n, machine) > machine["driver_mib"]

    checks: list[tuple[Callable[[int], bool], str, str]] = [
        (
            memory(one),
            f"memory of the driver on one server ({one['driver_mib']:,} MiB)",
            "larger batches and parts, so fewer files; `make tidy`; a larger server",
        ),
        (
            memory(many),
            f"memory of the driver of a cluster ({many['driver_mib']:,} MiB)",
            "larger parts, or a driver with more memory",
        ),
        (
            lambda n: model.first_load(n, ONE).seconds > DAY,
            "first load on one server: more than a day",
            "a cluster for the first load; one server for the daily runs",
        ),
        (
            lambda n: model.daily(n, ONE).seconds > DAY,
            "daily run on one server: more than a day",
            "a cluster for the daily runs",
        ),
        (
            lambda n: model.first_load(n, MANY).seconds > DAY,
            "first load on 16 workers: more than a day",
            "larger batches, and then more workers; see below",
        ),
        (
            lambda n: model.list_s(n) > HOUR,
            "listing page after page: more than an hour",
            "listing by prefix on the workers, or an S3 Inventory",
        ),
        (
            lambda n: model.first_load(n, MANY).parts["commit"] > DAY,
            "commits of a first load: more than a day, however many workers",
            "larger batches: ingest.photos_per_batch, up to 100,000",
        ),
    ]
    found = [Limit(_first(check), name, change) for check, name, change in checks]
    return sorted(found, key=lambda limit: limit.photos or math.inf)


def workers_for_prefix_limit(model: Model) -> int:
    """Return how many workers of 2 cores fetch as fast as one prefix of S3 permits."""
    rate = 2 / model.cpu.photo
    return math.ceil(model.units["s3"]["gets_per_second_and_prefix"] / rate)


def commit_ratio(model: Model, photos: int) -> float:
    """Return how much longer commits take than computing on 16 workers."""
    parts = model.first_load(photos, MANY).parts
    return parts["commit"] / parts["compute"]


def _first(is_exceeded: Callable[[int], bool]) -> int | None:
    """Return the smallest number of photos, within 5 %, for which a limit is exceeded."""
    low, high = 1000, MAX_PHOTOS
    if is_exceeded(low) or not is_exceeded(high):
        return low if is_exceeded(low) else None
    while high > low * 1.05:
        middle = round(math.sqrt(low * high))
        low, high = (low, middle) if is_exceeded(middle) else (middle, high)
    return high
