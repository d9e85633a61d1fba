"""Ingest: new photos of the store become batches of the table `photos`."""

from __future__ import annotations

import logging
import re
from collections import Counter
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import ExistingPhotos, Listing
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.listing import File, cut_parts, new_photos, select_photos
from fruits_pipeline.parameters import IngestParameters
from fruits_pipeline.spark import arrow
from fruits_pipeline.spark.frames import Batches, from_tables, map_arrow

logger = logging.getLogger(__name__)


def plan_batches(
    photo_store: Listing, existing_photos: ExistingPhotos, parameters: IngestParameters
) -> tuple[Batches, dict[str, Any]]:
    """Group photos that are new, or changed, into batches.

    Args:
        photo_store: All files below the photo root.
        existing_photos: What the table `photos` contains.
        parameters: Parameters of the stage.

    Returns:
        `LISTING` rows by batch, numbered on from the last one; and counts of the listing.

    Raises:
        FruitsError: None of the files is a photo.
    """
    photos, left_out = select_photos(photo_store.files, parameters.extensions)
    if not photos:
        raise _no_photos(photo_store, left_out, parameters)
    existing = _by_path(existing_photos.files)
    new = new_photos(photos, existing)
    counts = {
        "files": len(photo_store.files) + photo_store.below_root,
        "photos": len(photos),
        "new_or_changed": len(new),
        "gone": len(existing.keys() - {photo.path for photo in photos}),
        "left_out": dict(left_out) | _below_root(photo_store),
    }
    logger.info("%s: %s", photo_store.root, counts)
    return _cut(new, photo_store.root, existing_photos.last_batch, parameters), counts


def _by_path(files: pa.Table) -> dict[str, File]:
    rows = zip(*(files[name].to_pylist() for name in File._fields), strict=True)
    return {file.path: file for file in map(File._make, rows)}


def _below_root(store: Listing) -> dict[str, int]:
    return {"below root": store.below_root} if store.below_root else {}


def _cut(
    new: list[File], root: str, last: int, parameters: IngestParameters
) -> Batches:
    size = parameters.photos_per_batch
    chunks = [new[i : i + size] for i in range(0, len(new), size)]
    return {
        f"{number:06d}": partial(_listing, chunk, root, parameters)
        for number, chunk in enumerate(chunks, start=last + 1)
    }


def _listing(files: list[File], root: str, parameters: IngestParameters) -> DataFrame:
    """Return `LISTING` rows, cut into the tasks that will fetch them."""
    cut = cut_parts(files, parameters.photos_per_part, parameters.part_bytes)
    rows = ([file._asdict() | {"root": root} for file in part] for part in cut)
    tables = [pa.Table.from_pylist(part, schemas.LISTING) for part in rows]
    return from_tables(tables, schemas.LISTING)


def fetch_photos(listing: DataFrame, parameters: IngestParameters) -> DataFrame:
    """Read photos, and derive label, split and series from their paths.

    Args:
        listing: `LISTING` rows.
        parameters: Parameters of the stage.

    Returns:
        `PHOTOS` rows; without photos that vanished since they were listed.
    """
    step = partial(
        arrow.fetch,
        rules=[re.compile(rule) for rule in parameters.path_rules],
        requests_in_flight=parameters.requests_in_flight,
    )
    return map_arrow(listing, step, schemas.PHOTOS)


def _no_photos(
    store: Listing, left_out: Counter[str], parameters: IngestParameters
) -> FruitsError:
    return FruitsError(
        f"Found {len(store.files)} files in {store.root}, none of them a photo "
        f"({dict(left_out)}); expected files that end in one of "
        f"{', '.join(parameters.extensions)}. Set the folder with --params photos=..., "
        "or the endings with ingest.extensions in parameters_ingest.yml."
    )
