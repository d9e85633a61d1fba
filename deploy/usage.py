"""What a first run uses of AWS, counted from how the chain works.

Every photo is new. Later runs use as much for new photos, and read the tables anew.
"""

from __future__ import annotations

import math
from typing import NamedTuple

KB, GIB = 1000, 1024**3
KEYS_PER_LIST = 1000
PHOTOS_PER_PART, PART_KB = 1000, 16 * 1024**2 / KB

CANONICAL_KB = 30.0
"""A photo in `images` at a short side of 256 pixels; a smaller one keeps its size."""

FEATURES_KB = 5.3
"""1,336 float32."""

COMPONENTS_KB = 1.7
"""400 float32 and the keys."""

MOMENTS_MB_PER_BATCH = 7.1
"""Half a 1,336 x 1,336 matrix of float64."""

TABLES = 5
"""photos, images, features, moments, reduced."""

PART_READS = 4
"""How often workers read a table part by part: once for each table that follows it."""

SCANS = 6
"""How often Spark reads a table as a whole, all of them for the report."""

OTHER = 200
"""Writes and as many reads of a run for recipes, model, report and log, at most."""

IDLE_HOURS = 1 / 3
"""From the start of the server to the run, and from its end until it has stopped."""


class Requests(NamedTuple):
    """Requests as S3 bills them.

    Attributes:
        writes: PUT, COPY, POST and LIST.
        reads: GET and HEAD. DELETE is free.
    """

    writes: int
    reads: int


class Run(NamedTuple):
    """What is asked about.

    Attributes:
        photos: Number of them.
        photo_kb: Mean size of a photo, in 1,000 bytes.
        photos_per_batch: `ingest.photos_per_batch`.
        photos_per_second: Of the whole chain, as `run_summary.json` says it.
        disk_gib: Of the server.
    """

    photos: int
    photo_kb: float
    photos_per_batch: int
    photos_per_second: float
    disk_gib: int

    @property
    def batches(self) -> int:
        """Number of batches of every table."""
        return math.ceil(self.photos / self.photos_per_batch)

    @property
    def parts(self) -> int:
        """Number of parts of a full batch: so many photos, and so many bytes, at most."""
        by_bytes = max(1, PART_KB // self.photo_kb)
        return math.ceil(self.photos_per_batch / min(PHOTOS_PER_PART, by_bytes))


def uploading(photos: int) -> Requests:
    """Return the requests that bring photos to the bucket, once: one PUT each."""
    return Requests(photos, 0)


def fetching(photos: int) -> Requests:
    """Return the requests of ingest: pages of the listing, and one GET per photo."""
    return Requests(math.ceil(photos / KEYS_PER_LIST), photos)


def writing(batches: int, parts: int) -> Requests:
    """Return the requests of writing batches of one table.

    Counted at a server, 4 and 8 batches of 2 and 1 parts: a PUT a part; and a PUT, four
    LISTs and six GETs of the table's log a batch.

    Args:
        batches: Each is a Spark job.
        parts: In a batch.
    """
    return Requests(batches * (5 + parts), 6 * batches)


def scanning(batches: int, parts: int) -> Requests:
    """Return the requests of Spark's reading a table once, in one job.

    Counted likewise, 1 and 3 batches of 1, 2 and 4 files: a LIST a batch, a HEAD and
    three GETs a file.

    Args:
        batches: Of the table.
        parts: In a batch.
    """
    return Requests(4 + batches, 6 + 4 * batches * parts)


def requests_of(run: Run) -> dict[str, Requests]:
    """Return the requests of a first run, by what they are for."""
    scan = scanning(run.batches, run.parts)
    return {
        "photos listed and fetched": fetching(run.photos),
        "tables written": writing(run.batches * TABLES, run.parts),
        "tables read": Requests(
            SCANS * scan.writes,
            SCANS * scan.reads + PART_READS * run.batches * run.parts,
        ),
        "recipes, model, report, log": Requests(OTHER, OTHER),
    }


def gib_of(run: Run) -> dict[str, float]:
    """Return what lies in the bucket after a run, in GiB, by folder."""
    kb = {
        "photos/": run.photo_kb,
        "data/02_intermediate/photos": run.photo_kb,
        "data/03_primary/images": min(run.photo_kb, CANONICAL_KB),
        "data/04_feature/features": FEATURES_KB,
        "data/07_model_output/reduced": COMPONENTS_KB,
    }
    sizes = {folder: run.photos * each * KB / GIB for folder, each in kb.items()}
    moments = run.batches * MOMENTS_MB_PER_BATCH * KB * KB / GIB
    return dict(sorted((sizes | {"data/05_model_input/moments": moments}).items()))
