import os
from pathlib import Path

import pytest

from fruits_pipeline.spark.resources import (
    HEAP_MIB,
    OTHER_MIB,
    WORKER_MIB,
    available_mib,
    heap_mib,
    processors,
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
    """Return a machine with 8,000 MiB available, and files of its control group."""
    (folder / "proc").mkdir()
    (folder / "proc/meminfo").write_text(MEMINFO)
    (folder / "sys/fs/cgroup").mkdir(parents=True)
    for name, content in group.items():
        file = name.replace("_", ".")
        (folder / "sys/fs/cgroup" / file).write_text(content + "\n")
    return folder


@pytest.fixture
def eight_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


@pytest.mark.usefixtures("eight_processors")
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
def test_a_containers_quota_limits_the_processors(
    tmp_path: Path, quota: str, expected: int
) -> None:
    assert processors(root(tmp_path, cpu_max=quota)) == expected


@pytest.mark.usefixtures("eight_processors")
def test_without_a_control_group_all_allowed_processors_are_used(
    tmp_path: Path,
) -> None:
    assert processors(tmp_path) == 8


def test_memory_is_what_the_kernel_calls_available(tmp_path: Path) -> None:
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
def test_a_containers_limit_less_what_it_uses_limits_the_memory(
    tmp_path: Path, limit: str, used: int, expected: int
) -> None:
    machine = root(
        tmp_path,
        memory_max=limit,
        memory_current=str(used + GIB),
        memory_stat=f"anon {used}\ninactive_file {GIB}",
    )
    assert available_mib(machine) == expected


def test_the_group_of_the_process_itself_counts_in_the_older_version_too(
    tmp_path: Path,
) -> None:
    machine = root(tmp_path)
    (machine / "proc/self").mkdir()
    (machine / "proc/self/cgroup").write_text("4:memory:/own\n0::/\n")
    group = machine / "sys/fs/cgroup/memory/own"
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text(f"{2 * GIB}\n")
    (group / "memory.usage_in_bytes").write_text(f"{GIB}\n")
    (group / "memory.stat").write_text("total_inactive_file 0\n")

    assert available_mib(machine) == 1_024


def test_this_machine_can_be_measured() -> None:
    assert processors() >= 1
    assert available_mib() > 0


LEAST, MOST = HEAP_MIB


@pytest.mark.parametrize(
    ("left", "expected"),
    [(-500, LEAST), (0, LEAST), (2_000, 1_000), (2 * MOST + 2, MOST)],
)
def test_the_heap_is_half_of_what_all_else_leaves(left: int, expected: int) -> None:
    workers = 3
    available = left + workers * WORKER_MIB + OTHER_MIB
    assert heap_mib(available, workers) == expected


def test_a_small_machine_gets_one_worker_and_a_heap_that_spark_is_talked_into() -> None:
    found = session_settings(850, 2)
    assert found["spark.master"] == "local[1,3]"
    assert found["spark.driver.memory"] == f"{LEAST}m"
    # https://github.com/apache/spark: a heap must be 1.5 times what is reserved.
    assert int(found["spark.testing.reservedMemory"]) * 1.5 < LEAST * 1024**2


def test_a_machine_with_memory_gets_a_worker_for_each_processor() -> None:
    found = session_settings(16_000, 4)
    assert found["spark.master"] == "local[4,3]"
    assert "spark.testing.reservedMemory" not in found


def test_memory_for_two_workers_leaves_processors_idle() -> None:
    available = HEAP_MIB[0] + OTHER_MIB + 2 * WORKER_MIB
    assert session_settings(available, 8)["spark.master"] == "local[2,3]"
