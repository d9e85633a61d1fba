"""CPU and memory available to this process (cgroup-aware), and Spark settings for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MIB = 1024 * 1024

WORKER_MIB = 320
"""Memory of a Python worker with NumPy, Pillow, LiteRT and a backbone (measured: 260)."""

MIN_HEAP_MIB = 192
"""Smallest Java heap with which the pipeline runs."""

MAX_HEAP_MIB = 4096
"""Largest Java heap; more memory does not make the pipeline faster."""

MIN_SPARK_HEAP_MIB = 450
"""Smallest heap that Spark accepts without a lower `spark.testing.reservedMemory`."""

OVERHEAD_MIB = 450
"""Memory of the JVM besides its heap (350), and of the driver after its imports (100)."""

MAX_TASK_FAILURES = 3
"""Attempts to run a task before the run fails; Spark's default in local mode is 1."""


class _MemoryFiles(NamedTuple):
    """The files of a memory control group, for one version of cgroups.

    Attributes:
        marker: Precedes the path of the group in `/proc/self/cgroup`.
        controller: Folder of the memory groups in `/sys/fs/cgroup`.
        limit: File with the memory limit in bytes.
        usage: File with the memory usage in bytes, page cache included.
        cache: Entry of `memory.stat` with the size of the inactive page cache.
    """

    marker: str
    controller: str
    limit: str
    usage: str
    cache: str


# https://docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/memory.html
CGROUP_V2 = _MemoryFiles(
    marker="0::",
    controller="",
    limit="memory.max",
    usage="memory.current",
    cache="inactive_file",
)
CGROUP_V1 = _MemoryFiles(
    marker=":memory:",
    controller="memory",
    limit="memory.limit_in_bytes",
    usage="memory.usage_in_bytes",
    cache="total_inactive_file",
)


def cpu_count(root: Path = Path("/")) -> int:
    """Return the number of CPUs that this process may use, at least 1.

    Args:
        root: Folder that contains `proc` and `sys/fs/cgroup`.
    """
    allowed = len(os.sched_getaffinity(0))
    group = _group_folder(root, CGROUP_V2)
    try:
        quota, period = (group / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return allowed
    if quota == "max":
        return allowed
    return max(1, min(allowed, int(quota) // int(period)))


def available_mib(root: Path = Path("/")) -> int:
    """Return the memory in MiB that this process can allocate without swapping.

    This is the minimum of the kernel's estimate and the limits of the control groups.

    Args:
        root: Folder that contains `proc` and `sys/fs/cgroup`.
    """
    lines = (root / "proc/meminfo").read_text().splitlines()
    kib = {name: int(value.split()[0]) for name, value in (s.split(":") for s in lines)}
    return min([kib["MemAvailable"] // 1024, *_cgroup_available_mib(root)])


def _cgroup_available_mib(root: Path) -> Iterator[int]:
    """Yield the available memory of each control group with a limit.

    The inactive page cache counts as available.
    """
    for files in (CGROUP_V2, CGROUP_V1):
        group = _group_folder(root, files)
        try:
            limit = int((group / files.limit).read_text())
            usage = int((group / files.usage).read_text())
            lines = (group / "memory.stat").read_text().splitlines()
            stat = dict(line.split() for line in lines)
        except (OSError, ValueError):  # another version of cgroups, or the limit "max"
            continue
        yield (limit - usage + int(stat.get(files.cache, 0))) // MIB


def _group_folder(root: Path, files: _MemoryFiles) -> Path:
    """Return the folder of this process's control group; the root group if not visible."""
    groups = root / "sys/fs/cgroup" / files.controller
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return groups
    marker = files.marker
    own = next((line.partition(marker)[2] for line in lines if marker in line), "")
    group = groups / own.strip("/")
    return group if group.is_dir() else groups


def heap_mib(available_mib: int, workers: int) -> int:
    """Return the size of the Java heap in MiB.

    It is half of the memory that workers and overhead leave, between `MIN_HEAP_MIB` and
    `MAX_HEAP_MIB`.
    """
    left = available_mib - workers * WORKER_MIB - OVERHEAD_MIB
    return max(MIN_HEAP_MIB, min(MAX_HEAP_MIB, left // 2))


def worker_count(available_mib: int, cpus: int) -> int:
    """Return the number of Python workers that may run at the same time, at least 1."""
    left = available_mib - MIN_HEAP_MIB - OVERHEAD_MIB
    return max(1, min(cpus, left // WORKER_MIB))


def session_settings(available_mib: int, cpus: int) -> dict[str, str]:
    """Return Spark settings for local mode: number of workers, and size of the heap."""
    workers = worker_count(available_mib, cpus)
    heap = heap_mib(available_mib, workers)
    settings = {
        "spark.master": f"local[{workers},{MAX_TASK_FAILURES}]",
        "spark.driver.memory": f"{heap}m",
        "spark.sql.shuffle.partitions": str(workers),
    }
    if heap >= MIN_SPARK_HEAP_MIB:
        return settings
    # Idle workers would keep memory that the stage report needs.
    return settings | {
        "spark.testing.reservedMemory": str(heap // 3 * MIB),
        "spark.python.worker.reuse": "false",
    }
