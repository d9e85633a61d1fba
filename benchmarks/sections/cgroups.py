"""A control group that holds a program to some memory: version 1 or 2, as root."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
SECONDS_TO_EMPTY = 10


@dataclass(frozen=True)
class Version:
    """Names of files: https://docs.kernel.org/admin-guide/.

    Attributes:
        top: Where groups are made.
        limits: Each takes the limit in bytes, in this order.
        peak: The most bytes that were held, cached files included.
        kills: Has a line `oom_kill`, with how many processes were killed.
        no_swap: Takes 0 where swap has a limit of its own.
    """

    top: Path
    limits: tuple[str, ...]
    peak: str
    kills: str
    no_swap: str | None = None


ONE = Version(
    GROUPS / "memory",
    # The second, memory and swap together, is there where swap is accounted for.
    ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"),
    "memory.max_usage_in_bytes",
    "memory.oom_control",
)
TWO = Version(
    GROUPS, ("memory.max",), "memory.peak", "memory.events", "memory.swap.max"
)


@dataclass(frozen=True)
class Group:
    """A control group.

    Attributes:
        folder: Of its files.
        version: Of those.
    """

    folder: Path
    version: Version

    @property
    def prefix(self) -> list[str]:
        """What a command begins with to run in this group."""
        enter = f'echo $$ > {self.folder}/cgroup.procs && exec "$@"'
        return ["sh", "-c", enter, "sh"]

    def peak_bytes(self) -> int | None:
        """Return the most memory that it held, cached files included."""
        try:
            return int((self.folder / self.version.peak).read_text())
        except OSError:  # the kernel is older than the file
            return None

    def kills(self) -> int:
        """Return how many of its processes ran out of memory and were killed."""
        text = (self.folder / self.version.kills).read_text()
        pairs = dict(line.split() for line in text.splitlines())
        return int(pairs.get("oom_kill", 0))


def why_not() -> str | None:
    """Return why no group can be made here, in words; None if one can."""
    if os.geteuid() != 0:
        return "not root, who alone can make control groups"
    return None if _version() else "no control groups of memory"


def _version() -> Version | None:
    if (ONE.top / ONE.limits[0]).exists():
        return ONE
    controllers = TWO.top / "cgroup.controllers"
    there = controllers.exists() and "memory" in controllers.read_text().split()
    return TWO if there and os.access(TWO.top, os.W_OK) else None


@contextmanager
def memory_group(limit: int) -> Iterator[Group]:
    """Make a control group, and remove it when what ran in it has ended.

    Args:
        limit: Of its memory, in bytes; it has no swap.
    """
    version = _version()
    assert version, why_not()
    if version is TWO:
        (TWO.top / "cgroup.subtree_control").write_text("+memory")
    group = Group(version.top / f"fruits-bench-{os.getpid()}", version)
    group.folder.mkdir()
    try:
        for name in version.limits:
            if (file := group.folder / name).exists():
                file.write_text(str(limit))
        if version.no_swap and (file := group.folder / version.no_swap).exists():
            file.write_text("0")
        yield group
    finally:
        _remove(group.folder)


def _remove(folder: Path) -> None:
    """Remove a group as soon as it is empty."""
    deadline = time.monotonic() + SECONDS_TO_EMPTY
    while folder.exists() and time.monotonic() < deadline:
        with suppress(OSError):
            folder.rmdir()
            return
        time.sleep(0.2)
