"""List and plan photos that exist only as keys, and report the memory of this process.

    python -m benchmarks.programs.listing PHOTOS NEW WORK

NEW is the number of the photos that are not ingested yet. The code is that of the stage
ingest, without the requests to a store.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import click
import psutil
import pyarrow as pa
import yaml

from benchmarks.processes import MIB, PROJECT
from fruits_pipeline import schemas
from fruits_pipeline.datasets import ExistingPhotos, ListedFiles, Listing
from fruits_pipeline.io.found import FoundEntry, to_tables
from fruits_pipeline.io.left_out import LeftOut
from fruits_pipeline.parameters import IngestParameters
from fruits_pipeline.pipelines.ingest.nodes import plan_batches

TIME = datetime(2026, 11, 1, tzinfo=UTC)
LABELS = 200
BATCH = 4000


def _entries(photos: int) -> Iterator[FoundEntry]:
    """Yield photos in an order that mixes labels, as a folder of the file system does."""
    for i in range(photos):
        label = i * 7 % LABELS
        path = f"Training/Label {label:03d}/photo_{i:010d}_100.jpg"
        yield FoundEntry(path, 4600 + i % 1000, TIME, f"{i:032x}")


def _existing(photos: int) -> Iterator[pa.Table]:
    """Yield `INGESTED` rows of batches."""
    left_out = LeftOut()
    for rows in to_tables(_entries(photos), left_out):
        numbers = pa.array(range(1, len(rows) + 1), pa.uint64())
        batches = pa.array(["000001"] * len(rows), pa.string())
        table = rows.append_column("id_hash", numbers).append_column("batch", batches)
        yield table.select(schemas.INGESTED.names)


def main() -> None:
    """Print the result as JSON."""
    photos, new, work = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    tempfile.tempdir = work
    text = (PROJECT / "conf/base/parameters_ingest.yml").read_text()
    parameters = IngestParameters(**yaml.safe_load(text)["ingest"])
    process = psutil.Process()
    start_seconds, before = time.time() - process.create_time(), _memory_mib(process)
    begin = time.perf_counter()
    files = ListedFiles(to_tables(_entries(photos), LeftOut()))
    existing = ExistingPhotos(lambda: _existing(photos - new), 0)
    changes, counts = plan_batches(Listing("photos", files), existing, parameters)
    seconds = time.perf_counter() - begin
    if (counts["photos"], counts["new_or_changed"], len(changes.new)) != (
        *(photos, new),
        -(-new // parameters.photos_per_batch),
    ):
        sys.exit(f"Found {counts}; expected {photos} photos, {new} of them new")
    detail = {"before_mib": before, "after_mib": _memory_mib(process)}
    result = {"photos": photos, "seconds": seconds, "start_seconds": start_seconds}
    click.echo(json.dumps(result | {"detail": detail}))


def _memory_mib(process: psutil.Process) -> float:
    return float(process.memory_full_info().pss / MIB)


if __name__ == "__main__":
    main()
