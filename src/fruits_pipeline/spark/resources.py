"""What this machine has to give: processors and memory, containers' limits respected."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

MIB = 1024 * 1024

WORKER_MIB = 320
"""A Python worker: interpreter, NumPy, Pillow, LiteRT with a backbone (measured: 260)."""

HEAP_MIB = (192, 4096)
"""The least that the chain runs in, and the most that it has use for."""

SPARKS_LEAST_MIB = 450
"""Spark refuses a smaller heap unless it is told to reserve less of it for itself."""

OTHER_MIB = 450
"""What Java takes beside its heap (350), and the driver beyond its imports (100)."""


ATTEMPTS = 3
"""How often Spark tries a task before the run fails; in local mode its default is 1."""

MEMORY_FILES = (
    # Version 2 of control groups, then 1: https://docs.kernel.org/admin-guide/
    ("0::", "", "memory.max", "memory.current", "inactive_file"),
    (
        *(":memory:", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
        "total_inactive_file",
    ),
)


def processors(root: Path = Path("/")) -> int:
    """Return how many processors this process may use, at least 1.

    Args:
        root: Where `proc` and `sys/fs/cgroup` are found.
    """
    allowed = len(os.sched_getaffinity(0))
    try:
        quota, period = (_group(root, "0::", "") / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return allowed
    if quota == "max":
        return allowed
    return max(1, min(allowed, int(quota) // int(period)))


def available_mib(root: Path = Path("/")) -> int:
    """Return the memory in MiB that this process can still take without swapping.

    The smallest of what the kernel calls available and what control groups have left.

    Args:
        root: Where `proc` and `sys/fs/cgroup` are found.
    """
    lines = (root / "proc/meminfo").read_text().splitlines()
    kib = {name: int(value.split()[0]) for name, value in (s.split(":") for s in lines)}
    return min([kib["MemAvailable"] // 1024, *_left_mib(root)])


def _left_mib(root: Path) -> Iterator[int]:
    """Yield what each kind of control group leaves; cached files count as free."""
    for mark, controller, limit, used, cached in MEMORY_FILES:
        group = _group(root, mark, controller)
        try:
            most, now = (
                int((group / limit).read_text()),
                int((group / used).read_text()),
            )
            stat = dict(
                s.split() for s in (group / "memory.stat").read_text().splitlines()
            )
        except (OSError, ValueError):  # another version, or no limit: "max"
            continue
        yield (most - now + int(stat.get(cached, 0))) // MIB


def _group(root: Path, mark: str, controller: str) -> Path:
    """Return the folder of this process' control group, as far as it can be seen."""
    groups = root / "sys/fs/cgroup" / controller
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return groups
    own = next((line.partition(mark)[2] for line in lines if mark in line), "")
    group = groups / own.strip("/")
    return group if group.is_dir() else groups


def heap_mib(available: int, workers: int) -> int:
    """Return the Java heap in MiB: half of what all else leaves.

    Args:
        available: Memory in MiB.
        workers: Python workers that run at the same time.
    """
    least, most = HEAP_MIB
    room = available - workers * WORKER_MIB - OTHER_MIB
    return max(least, min(most, room // 2))


def workers(available: int, processors: int) -> int:
    """Return how many Python workers may run at the same time, at least 1.

    Args:
        available: Memory in MiB.
        processors: That this process may use.
    """
    room = available - HEAP_MIB[0] - OTHER_MIB
    return max(1, min(processors, room // WORKER_MIB))


def session_settings(available: int, processors: int) -> dict[str, str]:
    """Return Spark's settings for a machine: workers, heap, and thrift where it is small.

    Args:
        available: Memory in MiB.
        processors: That this process may use.
    """
    count = workers(available, processors)
    heap = heap_mib(available, count)
    settings = {
        "spark.master": f"local[{count},{ATTEMPTS}]",
        "spark.driver.memory": f"{heap}m",
        "spark.sql.shuffle.partitions": str(count),
    }
    if heap >= SPARKS_LEAST_MIB:
        return settings
    # A worker that has nothing to do still holds its memory, when the report needs it.
    return settings | {
        "spark.testing.reservedMemory": str(heap // 3 * MIB),
        "spark.python.worker.reuse": "false",
    }
