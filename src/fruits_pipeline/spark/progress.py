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
"""Function to call after each batch, with its number of photos."""


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
        The function to call after each batch.
    """
    console = console or Console(stderr=True)
    if not batches:
        logger.info("%s: nothing new", table)
        yield lambda photos: None
        return
    with _progress_bar(console) as bar:
        yield _make_advance(bar, table, batches)


def _progress_bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:>8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("batches  {task.fields[speed]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


def _make_advance(bar: Progress, table: str, batches: int) -> Advance:
    """Return a function that moves the bar, or logs a line if the bar is disabled."""
    task = bar.add_task(table, total=batches, speed="")
    start, done, total = time.monotonic(), 0, 0

    def advance(photos: int) -> None:
        nonlocal done, total
        done, total = done + 1, total + photos
        seconds = max(time.monotonic() - start, 1e-9)
        bar.update(task, advance=1, speed=f"{total / seconds:,.0f} photos/s")
        if bar.disable:
            logger.info(
                "%s: %d of %d batches, %.0f photos/s, %.0f s left",
                table,
                done,
                batches,
                total / seconds,
                seconds / done * (batches - done),
            )

    return advance
