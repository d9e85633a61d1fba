"""Show the progress of a stage: a bar in a terminal, log lines elsewhere."""

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
"""Reports a finished batch, given its number of photos."""


@contextmanager
def track(
    table: str, batches: int, console: Console | None = None
) -> Iterator[Advance]:
    """Show the number of finished batches, photos per second, and the remaining time.

    Args:
        table: Name of the table.
        batches: Number of batches to write.
        console: Console of the progress bar; standard error by default.

    Yields:
        A function to call after each batch.
    """
    console = console or Console(stderr=True)
    if not batches:
        logger.info("%s: nothing new", table)
        yield lambda photos: None
    elif console.is_terminal:
        with _progress_bar(console) as bar:
            yield _advance_bar(bar, table, batches)
    else:
        yield _advance_log(table, batches)


def _progress_bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:>8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("batches  {task.fields[speed]}"),
        TimeRemainingColumn(),
        console=console,
    )


def _advance_bar(bar: Progress, table: str, batches: int) -> Advance:
    """Return a function that moves the bar on."""
    task = bar.add_task(table, total=batches, speed="")
    photos_per_second = _speedometer()

    def advance(photos: int) -> None:
        speed = f"{photos_per_second(photos):,.0f} photos/s"
        bar.update(task, advance=1, speed=speed)

    return advance


def _advance_log(table: str, batches: int) -> Advance:
    """Return a function that logs a line per batch."""
    photos_per_second, start, done = _speedometer(), time.monotonic(), 0

    def advance(photos: int) -> None:
        nonlocal done
        done += 1
        speed = photos_per_second(photos)
        remaining = (time.monotonic() - start) / done * (batches - done)
        logger.info(
            "%s: %d of %d batches, %.0f photos/s, %.0f s left",
            table,
            done,
            batches,
            speed,
            remaining,
        )

    return advance


def _speedometer() -> Callable[[int], float]:
    """Return a function that adds photos and returns the mean photos per second."""
    start, total = time.monotonic(), 0

    def photos_per_second(photos: int) -> float:
        nonlocal total
        total += photos
        return total / max(time.monotonic() - start, 1e-9)

    return photos_per_second
