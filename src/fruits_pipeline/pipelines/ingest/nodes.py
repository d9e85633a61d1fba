"""Plan batches of new and changed photos, and read the photos."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import ExistingPhotos, GonePhotos, Listing, PhotoChanges
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.label_check import label_warnings
from fruits_pipeline.io.left_out import ARCHIVED, FORGOTTEN, LeftOut
from fruits_pipeline.io.listing import compile_rules, split_into_parts
from fruits_pipeline.io.row_file import RowFile
from fruits_pipeline.parameters import IngestParameters
from fruits_pipeline.pipelines.ingest.comparison import Differences, compare
from fruits_pipeline.pipelines.ingest.gone import find_lost
from fruits_pipeline.spark.batches import Batches, per_batch
from fruits_pipeline.spark.fetching import fetch
from fruits_pipeline.spark.frames import from_tables, map_arrow

logger = logging.getLogger(__name__)


def plan_batches(
    photo_store: Listing, existing_photos: ExistingPhotos, parameters: IngestParameters
) -> tuple[PhotoChanges, dict[str, Any]]:
    """Group new and changed photos into batches, and find photos that are gone.

    Args:
        photo_store: The files below the photo root.
        existing_photos: Content of the table `photos` before the run.
        parameters: Parameters of the stage.

    Returns:
        The batches, with `LISTING` rows and names from `last_batch` + 1, with the gone
        photos; and the counts of the listing. Its `gone` includes photos that were moved.

    Raises:
        FruitsError: If none of the files is a photo, or the rows of more photos would be
            deleted than `max_gone_rate` allows.
    """
    root = photo_store.photo_root
    found = compare(photo_store, existing_photos, parameters)
    if not found.photos:
        raise _no_photos_error(photo_store, found.left_out, parameters)
    delete = parameters.gone == "delete"
    rows, rate = len(existing_photos.runs), parameters.max_gone_rate
    gone = GonePhotos(found.gone, rows, root, delete, rate)
    if delete:
        gone.check_rate(find_lost(found.gone, found.listed, found.new))
    left_out = found.left_out.counts()
    counts: dict[str, Any] = {
        "files": found.photos + sum(left_out.values()),
        "photos": found.photos,
        "new_or_changed": len(found.new),
        "gone": len(found.gone),
        "left_out": left_out,
    }
    _warn(root, counts, found, parameters)
    batches = _make_batches(found.new, root, existing_photos.last_batch + 1, parameters)
    return PhotoChanges(batches, gone, found.listed), counts


def fetch_changes(changes: PhotoChanges, parameters: IngestParameters) -> PhotoChanges:
    """Read the photos of all batches, lazily, with `fetch_photos`."""
    return replace(changes, new=per_batch(fetch_photos)(changes.new, parameters))


def fetch_photos(listing: DataFrame, parameters: IngestParameters) -> DataFrame:
    """Read the photos of a listing, and parse label, split and series from their paths.

    Returns:
        `FETCHED` rows; photos that could not be read have an error.
    """
    step = partial(
        fetch,
        rules=compile_rules(parameters.path_rules),
        requests_in_flight=parameters.requests_in_flight,
    )
    return map_arrow(listing, step, schemas.FETCHED)


def _no_photos_error(
    store: Listing, left_out: LeftOut, parameters: IngestParameters
) -> FruitsError:
    if FORGOTTEN in left_out:
        return FruitsError(
            f"Found no photo to ingest in {store.photo_root}: {left_out.describe()}; "
            "expected photos that were not erased. Add some, or set another folder with "
            "--params photos=..."
        )
    return FruitsError(
        f"Found no photo in {store.photo_root}, but other files: {left_out.describe()}; "
        "expected files with one of the "
        f"extensions {', '.join(parameters.extensions)}. Set the folder with "
        "--params photos=..., or ingest.extensions in parameters_ingest.yml."
    )


def _warn(
    photo_root: str,
    counts: Mapping[str, Any],
    found: Differences,
    parameters: IngestParameters,
) -> None:
    """Log the counts; warn of files that may be photos, and of signs of wrong labels."""
    left_out = found.left_out
    logger.info(
        "Found %d photos in %s, %d of them new or changed; other files: %s",
        counts["photos"],
        photo_root,
        counts["new_or_changed"],
        left_out.describe() or "none",
    )
    if ARCHIVED in left_out:
        logger.warning(
            "Left out %s; restore them, and run again to ingest them",
            left_out.select({ARCHIVED}).describe(),
        )
    if overlooked := left_out.overlooked(counts["files"], parameters.extensions):
        logger.warning(
            "Left out files that may be photos: %s. Only files with an extension in "
            "ingest.extensions are ingested: add theirs if Pillow can decode them, or "
            "convert them to JPEG, for example raw files of cameras",
            overlooked.describe(),
        )
    rules = compile_rules(parameters.path_rules)
    for warning in label_warnings(found.paths.paths, rules):
        logger.warning("%s", warning)


def _make_batches(
    files: RowFile, photo_root: str, first: int, parameters: IngestParameters
) -> Batches:
    """Return the batches of new photos; each reads its listing from the file."""

    def load(chunk: int) -> DataFrame:
        return make_listing(files.read(chunk), photo_root, parameters)

    return {
        f"{first + chunk:06d}": partial(load, chunk) for chunk in range(files.chunks)
    }


def make_listing(
    files: pa.Table, photo_root: str, parameters: IngestParameters
) -> DataFrame:
    """Return `LISTING` rows, with one Spark task per part.

    Args:
        files: Rows with the columns of `LISTING`, without `root`.
        photo_root: Path or URL of the photo root.
        parameters: Parameters of the stage.
    """
    sizes = files["size_bytes"].to_pylist()
    roots = pa.repeat(pa.scalar(photo_root), len(files))
    rows = files.append_column("root", roots).select(schemas.LISTING.names)
    parts = split_into_parts(sizes, parameters.photos_per_part, parameters.part_bytes)
    tables = [rows.slice(p.start, p.stop - p.start) for p in parts]
    return from_tables(tables, schemas.LISTING)
