"""Limits of the processes that decode photos.

The kernel enforces the limits, because a decoder can crash, or hang without releasing
Python's global lock.
"""

from __future__ import annotations

import re
import resource
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")

WORKER_SCORE, CHILD_SCORE = 900, 1000
"""Values of `oom_score_adj`: of all processes, the kernel kills the child first."""

_state = {"is_limited": False}


def enable_time_limits() -> None:
    """Allow `limit_time` to end this process, and the processes that it forks.

    Never call it in the driver.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    _state["is_limited"] = True


def limit_time(items: Iterable[Item], seconds: float) -> Iterator[Item]:
    """Yield items; end this process by SIGALRM if the caller takes too long for one.

    Without a call of `enable_time_limits`, the time is not limited. The timer costs one
    system call per item.

    Args:
        items: The items, such as photos.
        seconds: Maximum time for an item.
    """
    if not _state["is_limited"]:
        yield from items
        return
    try:
        for item in items:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            yield item
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def memory_mib() -> int:
    """Return the size of the private memory of this process, in MiB."""
    size = re.search(r"VmData:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(size[1]) // 1024 if size else 0


def limit_memory(mib: int) -> None:
    """Limit the memory that this process may allocate in addition to its present size."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = (memory_mib() + mib) * 1024**2
    if hard == resource.RLIM_INFINITY or hard > limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def set_oom_score(score: int) -> None:
    """Set how early the kernel kills this process if memory is exhausted, up to 1000.

    Scores can always be raised; only privileged processes can lower them.
    """
    try:
        Path("/proc/self/oom_score_adj").write_text(str(score))
    except OSError:  # a container without /proc, or a score that is higher already
        return
