"""Measure the unit costs of the simulation on this machine.

    FRUITS_SHARED=<folder> python -m benchmarks.simulation.measure

Run it on a quiet machine: it takes about 10 minutes. Half of the runs calibrate the model,
the other half, of other sizes, validate it. The results replace `measurements.json`.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.transaction import AddAction

from benchmarks.context import Context
from benchmarks.runs import run_pipeline
from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.log import DeltaLog

RESULTS = Path(__file__).with_name("measurements.json")

RUNS = {
    "calibration": [(1000, 4000), (4000, 4000), (16_000, 4000), (4000, 500)],
    "validation": [(2000, 4000), (8000, 4000), (20_701, 4000), (4000, 1000)],
}
"""Number of photos, and of photos per batch."""

LOG_FILES = {"calibration": [2000, 100_000], "validation": [30_000]}
"""Number of data files in the log of a table."""

REPEATS = 15
"""Number of times that a log is read; the fastest counts."""

BUSY = 0.5
"""Load average above which the wall times of a run are not reliable."""


def measure_run(context: Context, photos: int, photos_per_batch: int) -> dict[str, Any]:
    """Run the pipeline for the first time, and again with nothing new."""
    load = os.getloadavg()[0]
    root = context.empty("root") / "data"
    params = {"ingest.photos_per_batch": photos_per_batch, "report.explore": "false"}
    folder = context.sample(photos)
    first = run_pipeline(folder, root, params=params)
    again = run_pipeline(folder, root, params=params)
    result = {
        "photos": first["photos"],
        "photos_per_batch": photos_per_batch,
        "load": round(load, 2),
        "wall_s": first["wall"],
        "cpu_s": first["cpu_seconds"],
        "stages_s": first["stages"],
        "again_wall_s": again["wall"],
        "again_cpu_s": again["cpu_seconds"],
        "driver_mib": first["memory_mib"]["driver"],
        "java_mib": first["memory_mib"]["java"],
        "all_mib": first["memory_mib"]["all"],
        "table_bytes": first["detail"]["bytes_written"],
    }
    shutil.rmtree(root)
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in result.items()
    }


def measure_log(files: int, folder: Path) -> dict[str, Any]:
    """Write a log of many files, and measure reading it and a checkpoint, in core seconds."""
    location = str(folder / f"log-{files}")
    schema = pa.schema([*schemas.FEATURES, schemas.BATCH])
    table = DeltaTable.create(location, schema, partition_by=["batch"])
    actions: list[AddAction] = []
    for i in range(files):
        batch, name = (
            f"{i // 4:06d}",
            f"part-{i % 4:05d}-{i:08x}-{i:08x}-{i:016x}-{i:016x}",
        )
        first = f"Training/Apple Red 1/{i}_100.jpg"
        path = f"batch={batch}/{name}.parquet"
        file = DataFile(path, 5_000_000, batch, 1000, 0, 1000, first, first)
        actions.append(file.add_action(int(time.time() * 1000), schemas.FEATURES.names))
    table.create_write_transaction(actions, "append", table.schema(), ["batch"])
    checkpoints, reads = [], []
    for _ in range(REPEATS):
        begin = time.process_time()
        found = len(DeltaLog(location, DeltaTable(location)).files)
        reads.append(time.process_time() - begin)
        table = DeltaTable(location)
        begin = time.process_time()
        table.create_checkpoint()
        checkpoints.append(time.process_time() - begin)
        (checkpoint,) = Path(location, "_delta_log").glob("*.checkpoint.parquet")
        size = checkpoint.stat().st_size
        checkpoint.unlink()  # an existing one is not written again
        Path(location, "_delta_log/_last_checkpoint").unlink()
    shutil.rmtree(location)
    return {
        "files": found,
        "checkpoint_s": round(min(checkpoints), 4),
        "read_s": round(min(reads), 4),
        "checkpoint_bytes": size,
    }


def measure_commit(folder: Path, commits: int = 50) -> float:
    """Return the mean core seconds of a commit to a local table."""
    schema = pa.schema([*schemas.FEATURES, schemas.BATCH])
    table = DeltaTable.create(str(folder / "commits"), schema, partition_by=["batch"])
    begin = time.process_time()
    for i in range(commits):
        path = f"batch={i:06d}/part-00000.parquet"
        file = DataFile(path, 5_000_000, f"{i:06d}", 1000, 0, 1000)
        action = file.add_action(int(time.time() * 1000), schemas.FEATURES.names)
        table.create_write_transaction([action], "append", table.schema(), ["batch"])
        table.update_incremental()
    shutil.rmtree(folder / "commits")
    return round((time.process_time() - begin) / commits, 5)


def measure_all(photos: Path, work: Path, purposes: Sequence[str]) -> dict[str, Any]:
    """Return all measurements, with the date and the machine."""
    context = Context(photos, work, rounds=1, max_photos=None, before=None)
    results: dict[str, Any] = {
        "measured": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": {"processor": platform.machine(), "cores": os.cpu_count()},
        "busy_load": BUSY,
        "commit_s": measure_commit(work),
    }
    context.sample(1000)
    measure_run(context, 1000, 4000)  # fills the caches
    for purpose in purposes:
        runs = []
        for count, per_batch in RUNS[purpose]:
            click.echo(
                f"{purpose}: {count:,} photos in batches of {per_batch:,}", err=True
            )
            runs.append(measure_run(context, count, per_batch))
            click.echo(json.dumps(runs[-1]), err=True)
        logs = [measure_log(files, work) for files in LOG_FILES[purpose]]
        results[purpose] = {"runs": runs, "logs": logs}
    return results


@click.command()
@click.option("--photos", type=Path, help="Folder of photos; default: Fruits-360.")
@click.option("--work", type=Path, help="Folder for tables; default: a new one.")
def main(photos: Path | None, work: Path | None) -> None:
    """Measure, and replace measurements.json."""
    shared = os.environ.get("FRUITS_SHARED")
    if photos is None and shared is None:
        raise click.UsageError(
            "Set --photos, or FRUITS_SHARED to a folder with fruits-360."
        )
    folder = photos or Path(str(shared), "fruits-360")
    with tempfile.TemporaryDirectory() as temporary:
        results = measure_all(folder, work or Path(temporary), [*RUNS])
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    busy = [r["load"] for p in RUNS for r in results[p]["runs"] if r["load"] > BUSY]
    if busy:
        click.echo(
            f"The machine was busy before {len(busy)} runs: repeat it.", err=True
        )


if __name__ == "__main__":
    main()
