"""What results depend on: the machine and the versions of what runs on it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    *("pyspark", "kedro", "ai-edge-litert", "tensorflow", "keras", "pillow"),
    *("pyarrow", "numpy", "ray", "daft"),
)
FLAGS = ("avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8")
NOTED = ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
GIB = 1024 * 1024  # in KiB


def machine() -> dict[str, Any]:
    """Return processor, its flags that matter here, cores, memory and system."""
    fields = _fields(Path("/proc/cpuinfo"))
    flags = fields.get("flags", fields.get("Features", "")).split()
    total = _fields(Path("/proc/meminfo")).get("MemTotal", "0 kB").split()[0]
    return {
        "cpu": fields.get("model name", platform.machine()),
        "flags": [flag for flag in FLAGS if flag in flags],
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(total) / GIB, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load": round(os.getloadavg()[0], 2),
        "environment": {name: os.environ[name] for name in NOTED if name in os.environ},
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _fields(file: Path) -> dict[str, str]:
    """Return the first value of each name of a file of `/proc`."""
    found: dict[str, str] = {}
    for line in file.read_text().splitlines():
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    return found
