"""How far a stage is: a bar in a terminal, plain log lines where there is none."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

logger = logging.getLogger(__name__)

Advance = Callable[[int], None]
"""Says that one more batch is done, and how many photos it has."""


@contextmanager
def track(
    table: str, batches: int, console: Console | None = None
) -> Iterator[Advance]:
    """Show batches done of how many, photos per second and the time left.

    Args:
        table: Name of the table that is being written.
        batches: How many will be written.
        console: Where to show it; by default standard error.
    """
    console = console or Console(stderr=True)
    if not batches:
        logger.info("%s: nothing new", table)
        yield lambda photos: None
    elif console.is_terminal:
        with _bar(console) as progress:
            yield _advance_bar(progress, table, batches)
    else:
        yield _advance_log(table, batches)


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:>8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("batches  {task.fields[speed]}"),
        TimeRemainingColumn(),
        console=console,
    )


def _advance_bar(progress: Progress, table: str, batches: int) -> Advance:
    task = progress.add_task(table, total=batches, speed="")
    speed = _speedometer()

    def advance(photos: int) -> None:
        progress.update(task, advance=1, speed=f"{speed(photos):,.0f} photos/s")

    return advance


def _advance_log(table: str, batches: int) -> Advance:
    speed, begin, done = _speedometer(), time.monotonic(), 0

    def advance(photos: int) -> None:
        nonlocal done
        done += 1
        photos_per_second = speed(photos)
        left = (time.monotonic() - begin) / done * (batches - done)
        logger.info(
            "%s: %d of %d batches, %.0f photos/s, %.0f s left",
            *(table, done, batches, photos_per_second, left),
        )

    return advance


def _speedometer() -> Callable[[int], float]:
    begin, total = time.monotonic(), 0

    def speed(photos: int) -> float:
        nonlocal total
        total += photos
        return total / max(time.monotonic() - begin, 1e-9)

    return speed
