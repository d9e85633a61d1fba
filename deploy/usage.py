"""Estimate the S3 requests and the storage of runs.

The constants were counted with a proxy of moto, a server that emulates S3: runs of 2 and 8
batches of one part each, in November 2026.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from fruits_pipeline.io.request_counts import Requests

KB, GIB = 1000, 1024**3
KEYS_PER_LIST = 1000
"""Keys in one page of a listing."""

PHOTOS_PER_PART, KB_PER_PART = 1000, 16 * 1024**2 / KB
"""Maximum number of photos and maximum size of a part."""

IMAGE_KB = 30.0
"""Size of a row of `images` with a shorter side of 256 px; smaller photos are copied."""

QUALITY_KB = 0.3
"""Size of a row of `quality`."""

FEATURES_KB = 5.3
"""Size of a row of `features`: 1,336 float32."""

REDUCED_KB = 1.7
"""Size of a row of `reduced`: up to 400 float32 and the keys."""

MOMENTS_MB = 7.1
"""Size of a row of `moments`: half of a 1,336 x 1,336 matrix of float64."""

TABLES = 6
"""photos, images, quality, features, moments, reduced."""

TABLES_OF_PARTS = 5
"""Tables with one file for each part; `moments` has one for each batch."""

PART_READS = Requests(0, 7)
"""Requests to read the files of a new part, to compute other tables."""

SCAN_OF_BATCH, SCAN_OF_PART = Requests(10, 0), Requests(0, 34)
"""Requests of Spark to read all tables for the report, for each batch and each part:
`images` is read several times, and a file needs a HEAD and up to three GETs each time."""

LOG, LOG_OF_BATCH = Requests(25, 34), Requests(5, 7)
"""Requests to the log of a table in a run, and for each of its batches: delta-rs looks for
other commits before and after its own, and reads them."""

OTHERS = Requests(130, 165)
"""Requests of a run for models, reports, page, checks and lease."""


class Photos(NamedTuple):
    """A collection of photos.

    Attributes:
        number: Number of photos.
        kb: Mean size of a photo in KB (1,000 bytes).
        per_batch: The parameter `ingest.photos_per_batch`.
    """

    number: int
    kb: float
    per_batch: int

    @property
    def batches(self) -> int:
        """Number of batches in each table."""
        return math.ceil(self.number / self.per_batch)

    @property
    def parts(self) -> int:
        """Number of parts in all batches, limited by photos and by bytes per part."""
        by_size = max(1, KB_PER_PART // self.kb)
        return math.ceil(self.number / min(PHOTOS_PER_PART, by_size, self.per_batch))


def upload_requests(photos: int) -> Requests:
    """Return the requests to upload photos: one PUT each."""
    return Requests(photos, 0)


def listing_requests(photos: int) -> Requests:
    """Return the requests to list photos: one LIST a page."""
    return Requests(math.ceil(photos / KEYS_PER_LIST), 0)


def log_requests(batches: int, runs: int) -> Requests:
    """Return the requests to the logs of all tables.

    Args:
        batches: Number of batches that the runs write.
        runs: Number of runs.
    """
    tables = times(TABLES, times(runs, LOG))
    return tables.plus(times(TABLES, times(batches, LOG_OF_BATCH)))


def scan_requests(photos: Photos) -> Requests:
    """Return the requests to read all tables of photos for the report."""
    lists = times(photos.batches, SCAN_OF_BATCH)
    return lists.plus(times(photos.parts, SCAN_OF_PART))


def times(number: int, requests: Requests) -> Requests:
    """Return the requests that are repeated a number of times."""
    return Requests(number * requests.writes, number * requests.reads)


def run_requests(photos: Photos) -> dict[str, Requests]:
    """Return the requests of the first run of photos, by purpose."""
    files = TABLES_OF_PARTS * photos.parts + photos.batches
    return {
        "photos fetched": Requests(0, photos.number),
        "photos listed": listing_requests(photos.number),
        "tables written": Requests(files, 0),
        "tables read": times(photos.parts, PART_READS).plus(scan_requests(photos)),
        "logs of tables": log_requests(photos.batches, 1),
        "models, reports, checks": OTHERS,
    }


def later_requests(stored: Photos, new: Photos, runs: int) -> dict[str, Requests]:
    """Return the requests of the runs of a month, by purpose.

    Each run lists all photos, and the report of each reads the stored tables again.

    Args:
        stored: Photos at the begin of the month.
        new: Photos that are added in the month.
        runs: Number of runs; each writes at least one batch.
    """
    per_run = new._replace(number=math.ceil(new.number / runs)) if runs else new
    found = run_requests(per_run)
    found = {name: times(runs, requests) for name, requests in found.items()}
    listed = times(runs, listing_requests(stored.number + new.number // 2))
    return found | {
        "photos listed": listed,
        "stored tables read": times(runs, scan_requests(stored)),
    }


def storage_gib(photos: Photos) -> dict[str, float]:
    """Return the contents of the bucket after a first run, in GiB by folder."""
    kb_per_photo = {
        "photos/": photos.kb,
        "data/02_intermediate/photos": photos.kb,
        "data/03_primary/images": min(photos.kb, IMAGE_KB),
        "data/03_primary/quality": QUALITY_KB,
        "data/04_feature/features": FEATURES_KB,
        "data/07_model_output/reduced": REDUCED_KB,
    }
    sizes = {name: photos.number * kb * KB / GIB for name, kb in kb_per_photo.items()}
    sizes["data/05_model_input/moments"] = photos.batches * MOMENTS_MB * KB**2 / GIB
    return dict(sorted(sizes.items()))
