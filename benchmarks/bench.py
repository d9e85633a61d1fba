"""Hold a run against a plain loop over the same photos with the same backbone.

The loop (read, decode, fit, embed; one process a core, no Spark) is the raw limit of
this machine. It is timed before and after the run, so that the ratio holds when the
machine's speed drifts. Absolute figures are this machine's, ratios travel.

    make bench ARGS="--photos <folder>"
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import psutil

from fruits_pipeline.backbones import Backbone
from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.machine import processors
from fruits_pipeline.photos import fit

PROJECT = Path(__file__).parents[1]
MIB = 1024 * 1024
FEWEST = 4000  # photos for a run that lasts long enough to be timed


def main() -> None:
    """Print the figures as a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, default=_photos())
    folder = parser.parse_args().photos.resolve()
    with tempfile.TemporaryDirectory() as root:
        before = raw_limit(folder)
        first, memory = run(folder, root)
        after = raw_limit(folder)
        again, _ = run(folder, root)
    raw = (before + after) / 2
    rows = [
        ("photos", f"{first['photos']:,}"),
        (
            "raw limit, photos/s",
            f"{raw:,.0f} ({before:,.0f} before, {after:,.0f} after)",
        ),
        ("run, photos/s", f"{first['photos_per_second']:,.0f}"),
        ("run / raw limit", f"{first['photos_per_second'] / raw:.2f}"),
        *((f"  {stage}, s", f"{s:.1f}") for stage, s in first["seconds"].items()),
        ("second run, nothing new, s", f"{sum(again['seconds'].values()):.1f}"),
        ("start of a run, s", f"{first['start']:.1f}"),
        *((f"peak memory, {who}, MiB", f"{mib:,.0f}") for who, mib in memory.items()),
    ]
    for name, value in rows:
        print(f"{name:<28} {value}")


def _photos() -> Path:
    shared = os.environ.get("FRUITS_SHARED")
    return Path(shared, "fruits-360") if shared else PROJECT / "data/01_raw/sample"


def raw_limit(folder: Path) -> float:
    """Return how many photos a second plain loops embed, one on each core."""
    paths = sorted(folder.rglob("*_100.jpg"))
    paths *= -(-FEWEST // len(paths))
    cores = processors()
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(_embed, [paths[:8]] * cores))  # starts processes, loads models
        begin = time.monotonic()
        counts = pool.map(_embed, [paths[i::cores] for i in range(cores)])
        return sum(counts) / (time.monotonic() - begin)


def _embed(paths: list[Path]) -> int:
    backbone: Backbone = BackboneFolder(
        filepath=str(PROJECT / "data/06_models/backbone")
    ).load()
    size = backbone.card.input_size
    photos = (fit(path.read_bytes(), size, "pad") for path in paths)
    return sum(1 for _ in backbone.embed(photos))


def run(photos: Path, root: str) -> tuple[dict, dict[str, float]]:
    """Run the chain; return its summary, and its peak memory in MiB by program."""
    command = [sys.executable, "-m", "kedro", "run"]
    command += ["--params", f"photos={photos},root={root}"]
    begin = time.monotonic()
    with subprocess.Popen(command, cwd=PROJECT, stderr=subprocess.DEVNULL) as process:
        peak: dict[str, float] = {}
        while process.poll() is None:
            for who, mib in _memory(process.pid).items():
                peak[who] = max(peak.get(who, 0), mib)
            time.sleep(0.25)
    seconds = time.monotonic() - begin
    if process.returncode:
        sys.exit(
            f"kedro run failed with {process.returncode}; run it by itself to see why"
        )
    summary = json.loads(Path(root, "08_reporting/run_summary.json").read_text())
    summary["start"] = seconds - sum(summary["seconds"].values())
    return summary, peak


def _memory(pid: int) -> dict[str, float]:
    """Return the memory of a run now: its driver, Java, its workers, and all."""
    held = {"driver": 0.0, "java": 0.0, "workers": 0.0, "all": 0.0}
    for process, mib in _processes(pid):
        who = "java" if "java" in process.name() else "workers"
        held["driver" if process.pid == pid else who] += mib
        held["all"] += mib
    return held


def _processes(pid: int) -> Iterator[tuple[psutil.Process, float]]:
    try:
        parent = psutil.Process(pid)
        for process in [parent, *parent.children(recursive=True)]:
            # Proportional: pages that forked workers share count once.
            yield process, process.memory_full_info().pss / MIB
    except psutil.Error:
        return  # gone since it was listed


if __name__ == "__main__":
    main()
