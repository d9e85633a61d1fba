"""What this machine has to give: processors and memory, containers' limits respected."""

from __future__ import annotations

import os
from pathlib import Path

MIB = 1024 * 1024

WORKER_MIB = 320
"""A Python worker: interpreter, NumPy, Pillow, LiteRT with a backbone (measured: 260)."""

HEAP_MIB = (512, 4096)
"""Spark refuses a heap of less than 450 MiB; and the most that the chain has use for."""


def processors(root: Path = Path("/")) -> int:
    """Return how many processors this process may use, at least 1.

    Args:
        root: Where `sys/fs/cgroup` is found.
    """
    allowed = len(os.sched_getaffinity(0))
    try:
        quota, period = (root / "sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return allowed
    if quota == "max":
        return allowed
    return max(1, min(allowed, int(quota) // int(period)))


def available_mib(root: Path = Path("/")) -> int:
    """Return the memory in MiB that this process can still take without swapping.

    The smaller of what the kernel calls available and what the control group of
    this process has left (version 2, https://docs.kernel.org/admin-guide/cgroup-v2.html).

    Args:
        root: Where `proc` and `sys/fs/cgroup` are found.
    """
    lines = (root / "proc/meminfo").read_text().splitlines()
    kib = {name: int(value.split()[0]) for name, value in (s.split(":") for s in lines)}
    free = kib["MemAvailable"] // 1024
    group = root / "sys/fs/cgroup"
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
    except (OSError, ValueError):
        return free
    return free if limit == "max" else min(free, (int(limit) - used) // MIB)


def heap_mib(available: int, workers: int) -> int:
    """Return the Java heap in MiB: half of what the Python workers leave.

    Args:
        available: Memory in MiB.
        workers: Python workers that run at the same time.
    """
    least, most = HEAP_MIB
    return max(least, min(most, (available - workers * WORKER_MIB) // 2))
