"""Plan batches of new and changed photos, and read the photos."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import ExistingPhotos, Listing
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.listing import (
    ListedFile,
    find_new_or_changed,
    select_photos,
    split_into_parts,
)
from fruits_pipeline.parameters import IngestParameters
from fruits_pipeline.spark import arrow
from fruits_pipeline.spark.batches import Batches
from fruits_pipeline.spark.frames import from_tables, map_arrow

logger = logging.getLogger(__name__)


def plan_batches(
    photo_store: Listing, existing_photos: ExistingPhotos, parameters: IngestParameters
) -> tuple[Batches, dict[str, Any]]:
    """Group new and changed photos into batches.

    Args:
        photo_store: The files below the photo root.
        existing_photos: Content of the table `photos` before the run.
        parameters: Parameters of the stage.

    Returns:
        The batches, with `LISTING` rows and names from `last_batch` + 1, and the counts
        of the listing.

    Raises:
        FruitsError: If none of the files is a photo.
    """
    photos, left_out = select_photos(photo_store.files, parameters.extensions)
    if not photos:
        raise _no_photos_error(photo_store, left_out, parameters)
    existing = _files_by_path(existing_photos.files)
    new = find_new_or_changed(photos, existing)
    if photo_store.below_root:
        left_out["below root"] = photo_store.below_root
    counts = {
        "files": len(photos) + left_out.total(),
        "photos": len(photos),
        "new_or_changed": len(new),
        "gone": len(existing.keys() - {photo.path for photo in photos}),
        "left_out": dict(left_out),
    }
    _log_counts(photo_store.photo_root, counts)
    first = existing_photos.last_batch + 1
    return _make_batches(new, photo_store.photo_root, first, parameters), counts


def fetch_photos(listing: DataFrame, parameters: IngestParameters) -> DataFrame:
    """Read the photos of a listing, and parse label, split and series from their paths.

    Returns:
        `PHOTOS` rows, without photos that were deleted after they were listed.
    """
    step = partial(
        arrow.fetch,
        rules=[re.compile(rule) for rule in parameters.path_rules],
        requests_in_flight=parameters.requests_in_flight,
    )
    return map_arrow(listing, step, schemas.PHOTOS)


def _no_photos_error(
    store: Listing, left_out: Counter[str], parameters: IngestParameters
) -> FruitsError:
    return FruitsError(
        f"Found {len(store.files)} files in {store.photo_root}, none of them a photo "
        f"({dict(left_out)}); expected files with one of the "
        f"extensions {', '.join(parameters.extensions)}. Set the folder with "
        "--params photos=..., or ingest.extensions in parameters_ingest.yml."
    )


def _files_by_path(files: pa.Table) -> dict[str, ListedFile]:
    columns = [files[name].to_pylist() for name in ListedFile._fields]
    return {row[0]: ListedFile(*row) for row in zip(*columns, strict=True)}


def _log_counts(photo_root: str, counts: Mapping[str, Any]) -> None:
    logger.info(
        "Found %d photos in %s, %d of them new or changed; other files: %s",
        counts["photos"],
        photo_root,
        counts["new_or_changed"],
        counts["left_out"] or "none",
    )
    if gone := counts["gone"]:
        logger.info(
            "%d ingested photos no longer exist in %s; their rows are kept",
            gone,
            photo_root,
        )


def _make_batches(
    files: list[ListedFile], photo_root: str, first: int, parameters: IngestParameters
) -> Batches:
    size = parameters.photos_per_batch
    batches = [files[i : i + size] for i in range(0, len(files), size)]
    return {
        f"{number:06d}": partial(_make_listing, batch, photo_root, parameters)
        for number, batch in enumerate(batches, first)
    }


def _make_listing(
    files: list[ListedFile], photo_root: str, parameters: IngestParameters
) -> DataFrame:
    """Return `LISTING` rows, with one Spark task per part."""
    parts = split_into_parts(files, parameters.photos_per_part, parameters.part_bytes)
    rows = ([file._asdict() | {"root": photo_root} for file in part] for part in parts)
    tables = [pa.Table.from_pylist(part, schemas.LISTING) for part in rows]
    return from_tables(tables, schemas.LISTING)
