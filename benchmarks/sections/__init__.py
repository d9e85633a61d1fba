"""What is measured, a module each, and the programs that only they run."""

from __future__ import annotations

from typing import Protocol

from benchmarks.context import Context
from benchmarks.rounds import Result
from benchmarks.tables import Table


class Section(Protocol):
    """A module that measures something.

    Attributes:
        TITLE: Above its results.
    """

    TITLE: str

    def run(self, context: Context) -> Result:
        """Measure, and return what goes into `results.json`."""

    def tables(self, result: Result) -> list[Table]:
        """Return how a result is tabulated."""

    def bars(self, result: Result) -> dict[str, float]:
        """Return the photos a second of each contestant that the figure shows."""
