"""Estimate the S3 requests and storage of a first run.

In a first run every photo is new. A later run needs the same requests for its new photos,
and reads all tables again for the report.
"""

from __future__ import annotations

import math
from typing import NamedTuple

KB, GIB = 1000, 1024**3
KEYS_PER_LIST = 1000
"""Keys in one page of a listing."""

PHOTOS_PER_PART, KB_PER_PART = 1000, 16 * 1024**2 / KB
"""Maximum number of photos and maximum size of a part."""

IMAGE_KB = 30.0
"""Size of a row of `images` with a shorter side of 256 px; smaller photos are copied."""

FEATURES_KB = 5.3
"""Size of a row of `features`: 1,336 float32."""

REDUCED_KB = 1.7
"""Size of a row of `reduced`: up to 400 float32 and the keys."""

MOMENTS_MB = 7.1
"""Size of a row of `moments`: half of a 1,336 x 1,336 matrix of float64."""

TABLES = 5
"""photos, images, features, moments, reduced."""

PART_READS = 4
"""Tables that are read part by part to compute another table."""

SCANS = 6
"""Complete reads of a table by Spark, all of them for the report."""

OTHER_REQUESTS = 200
"""Upper bound of the writes, and of the reads, for recipes, model, report and log."""

IDLE_HOURS = 1 / 3
"""Time that the server is up before and after the run."""


class Requests(NamedTuple):
    """Number of requests in the two categories that S3 bills; DELETE is free.

    Attributes:
        writes: PUT, COPY, POST and LIST.
        reads: GET and HEAD.
    """

    writes: int
    reads: int


class Run(NamedTuple):
    """A first run.

    Attributes:
        photos: Number of photos.
        photo_kb: Mean size of a photo in KB (1,000 bytes).
        photos_per_batch: The parameter `ingest.photos_per_batch`.
        photos_per_second: Speed of the pipeline, as in `run_summary.json`.
        disk_gib: Size of the server's disk in GiB.
    """

    photos: int
    photo_kb: float
    photos_per_batch: int
    photos_per_second: float
    disk_gib: int

    @property
    def batches(self) -> int:
        """Number of batches in each table."""
        return math.ceil(self.photos / self.photos_per_batch)

    @property
    def parts(self) -> int:
        """Number of parts in a full batch, limited by photos and by bytes per part."""
        photos_by_size = max(1, KB_PER_PART // self.photo_kb)
        return math.ceil(self.photos_per_batch / min(PHOTOS_PER_PART, photos_by_size))


def upload_requests(photos: int) -> Requests:
    """Return the requests to upload photos: one PUT each."""
    return Requests(photos, 0)


def ingest_requests(photos: int) -> Requests:
    """Return the requests to list and fetch photos: one LIST a page, one GET a photo."""
    return Requests(math.ceil(photos / KEYS_PER_LIST), photos)


def write_requests(batches: int, parts: int) -> Requests:
    """Return the requests to write batches of one table.

    A part needs one PUT. The Delta log needs one PUT, four LISTs and six GETs per batch.
    Counted on a moto server for 4 and 8 batches of 2 and 1 parts.

    Args:
        batches: Number of batches.
        parts: Number of parts per batch.
    """
    return Requests(batches * (5 + parts), 6 * batches)


def scan_requests(batches: int, parts: int) -> Requests:
    """Return the requests of Spark to read a complete table in one job.

    A batch needs one LIST; a file needs one HEAD and three GETs. Counted on a moto server
    for 1 and 3 batches of 1, 2 and 4 files.

    Args:
        batches: Number of batches in the table.
        parts: Number of parts per batch, each of them one file.
    """
    return Requests(4 + batches, 6 + 4 * batches * parts)


def run_requests(run: Run) -> dict[str, Requests]:
    """Return the requests of a first run by purpose."""
    scan = scan_requests(run.batches, run.parts)
    return {
        "photos listed and fetched": ingest_requests(run.photos),
        "tables written": write_requests(run.batches * TABLES, run.parts),
        "tables read": Requests(
            SCANS * scan.writes,
            SCANS * scan.reads + PART_READS * run.batches * run.parts,
        ),
        "recipes, model, report, log": Requests(OTHER_REQUESTS, OTHER_REQUESTS),
    }


def storage_gib(run: Run) -> dict[str, float]:
    """Return the contents of the bucket after a first run, in GiB by folder."""
    kb_per_photo = {
        "photos/": run.photo_kb,
        "data/02_intermediate/photos": run.photo_kb,
        "data/03_primary/images": min(run.photo_kb, IMAGE_KB),
        "data/04_feature/features": FEATURES_KB,
        "data/07_model_output/reduced": REDUCED_KB,
    }
    sizes = {name: run.photos * kb * KB / GIB for name, kb in kb_per_photo.items()}
    sizes["data/05_model_input/moments"] = run.batches * MOMENTS_MB * KB**2 / GIB
    return dict(sorted(sizes.items()))
