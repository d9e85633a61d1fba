"""Findings of the stage check."""

from __future__ import annotations

from dataclasses import dataclass

MEND = "make mend"
RUN = "make run"
CLASSIFY = "make classify"
FORGET = "make forget"


@dataclass(frozen=True)
class Finding:
    """A difference between what was found and what was expected.

    Attributes:
        where: Table, model or report.
        found: What was found.
        expected: What was expected.
        repair: Command that repairs it, or what else to do.
        is_error: Whether it is damage, and not only information.
    """

    where: str
    found: str
    expected: str
    repair: str
    is_error: bool = True

    def __str__(self) -> str:
        """Return the finding in one line."""
        found = self.found.removeprefix("Found ")  # of an error message
        text = f"{self.where}: found {found}; expected {self.expected}"
        return f"{text}; repair: {self.repair}" if self.repair else text


Findings = list[Finding]


def shorten(names: list[str], total: int | None = None, count: int = 3) -> str:
    """Return the first names, and the number of the others.

    Args:
        names: The first names, or all.
        total: Number of all names; None if `names` are all.
        count: Number of names in the text.
    """
    others = (total or len(names)) - count
    more = f" and {others} more" if others > 0 else ""
    return ", ".join(names[:count]) + more
