import os
from pathlib import Path

import pytest

from fruits_pipeline.spark.resources import (
    MAX_HEAP_MIB,
    MIN_HEAP_MIB,
    OVERHEAD_MIB,
    WORKER_MIB,
    available_mib,
    cpu_count,
    heap_mib,
    session_settings,
)

MEMINFO = """\
MemTotal:       16384000 kB
MemFree:          512000 kB
MemAvailable:    8192000 kB
HugePages_Total:       0
"""
GIB = 1024**3


def root(folder: Path, **group: str) -> Path:
    """Create `proc` with 8,000 MiB available, and files of a control group."""
    (folder / "proc").mkdir()
    (folder / "proc/meminfo").write_text(MEMINFO)
    (folder / "sys/fs/cgroup").mkdir(parents=True)
    for name, content in group.items():
        file = name.replace("_", ".")
        (folder / "sys/fs/cgroup" / file).write_text(content + "\n")
    return folder


@pytest.fixture
def eight_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


@pytest.mark.usefixtures("eight_cpus")
@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("max 100000", 8),
        ("200000 100000", 2),
        ("250000 100000", 2),
        ("50000 100000", 1),
        ("1600000 100000", 8),
        ("60000 20000", 3),
        ("nonsense", 8),
    ],
)
def test_cpu_quota_of_a_container_limits_the_cpu_count(
    tmp_path: Path, quota: str, expected: int
) -> None:
    assert cpu_count(root(tmp_path, cpu_max=quota)) == expected


@pytest.mark.usefixtures("eight_cpus")
def test_all_allowed_cpus_are_used_without_a_quota(tmp_path: Path) -> None:
    assert cpu_count(tmp_path) == 8


def test_available_memory_is_an_estimate_of_the_kernel(tmp_path: Path) -> None:
    assert available_mib(root(tmp_path)) == 8_000


@pytest.mark.parametrize(
    ("limit", "used", "expected"),
    [
        ("max", 3 * GIB, 8_000),
        (str(4 * GIB), 1 * GIB, 3_072),
        (str(32 * GIB), 1 * GIB, 8_000),
        (str(1 * GIB), 1 * GIB, 0),
    ],
)
def test_memory_limit_of_a_container_limits_the_available_memory(
    tmp_path: Path, limit: str, used: int, expected: int
) -> None:
    folder = root(
        tmp_path,
        memory_max=limit,
        memory_current=str(used + GIB),
        memory_stat=f"anon {used}\ninactive_file {GIB}",
    )
    assert available_mib(folder) == expected


def test_memory_limit_of_cgroup_v1_is_that_of_the_process(tmp_path: Path) -> None:
    folder = root(tmp_path)
    (folder / "proc/self").mkdir()
    (folder / "proc/self/cgroup").write_text("4:memory:/own\n0::/\n")
    group = folder / "sys/fs/cgroup/memory/own"
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text(f"{2 * GIB}\n")
    (group / "memory.usage_in_bytes").write_text(f"{GIB}\n")
    (group / "memory.stat").write_text("total_inactive_file 0\n")

    assert available_mib(folder) == 1_024


def test_resources_of_this_machine_are_positive() -> None:
    assert cpu_count() >= 1
    assert available_mib() > 0


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (-500, MIN_HEAP_MIB),
        (0, MIN_HEAP_MIB),
        (2_000, 1_000),
        (2 * MAX_HEAP_MIB + 2, MAX_HEAP_MIB),
    ],
)
def test_heap_is_half_of_the_remaining_memory(left: int, expected: int) -> None:
    workers = 3
    available = left + workers * WORKER_MIB + OVERHEAD_MIB
    assert heap_mib(available, workers) == expected


def test_little_memory_means_one_worker_and_the_smallest_heap() -> None:
    found = session_settings(850, 2)
    assert found["spark.master"] == "local[1,3]"
    assert found["spark.driver.memory"] == f"{MIN_HEAP_MIB}m"
    # UnifiedMemoryManager requires a heap of 1.5 times the reserved memory.
    assert int(found["spark.testing.reservedMemory"]) * 1.5 < MIN_HEAP_MIB * 1024**2


def test_enough_memory_means_one_worker_per_cpu() -> None:
    found = session_settings(16_000, 4)
    assert found["spark.master"] == "local[4,3]"
    assert "spark.testing.reservedMemory" not in found


def test_memory_for_two_workers_limits_the_workers() -> None:
    available = MIN_HEAP_MIB + OVERHEAD_MIB + 2 * WORKER_MIB
    assert session_settings(available, 8)["spark.master"] == "local[2,3]"
