"""Plan batches of new and changed photos, and read the photos."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import ExistingPhotos, Listing, PhotoChanges
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.exclusions import (
    ARCHIVED,
    FORGOTTEN,
    LeftOut,
    describe,
    find_overlooked,
    select_photos,
)
from fruits_pipeline.io.label_check import label_warnings
from fruits_pipeline.io.listing import (
    ListedFile,
    compile_rules,
    find_new_or_changed,
    split_into_parts,
)
from fruits_pipeline.parameters import IngestParameters
from fruits_pipeline.pipelines.ingest.gone import find_gone, find_lost
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
    existing = _files_by_path(existing_photos.files)
    read = {p: f for p, f in existing.items() if p not in existing_photos.unread}
    photos, new, left_out = _select_photos(photo_store, read, parameters.extensions)
    if not photos:
        raise _no_photos_error(photo_store, left_out, parameters)
    root, paths = photo_store.photo_root, [photo.path for photo in photos]
    gone, listed = find_gone(existing_photos.files, photos, root, parameters)
    gone.check_rate(find_lost(gone, [*listed.values()], new))
    counts: dict[str, Any] = {
        "files": len(photo_store.files) + sum(map(len, photo_store.left_out.values())),
        "photos": len(photos),
        "new_or_changed": len(new),
        "gone": len(gone.photos),
        "left_out": {reason: len(found) for reason, found in left_out.items()},
    }
    _log_counts(root, counts, left_out)
    _warn_of_left_out(left_out, counts["files"], parameters.extensions)
    for warning in label_warnings(paths, compile_rules(parameters.path_rules)):
        logger.warning("%s", warning)
    first = existing_photos.last_batch + 1
    batches = _make_batches(new, root, first, parameters)
    return PhotoChanges(batches, gone, listed), counts


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


def _select_photos(
    store: Listing, existing: Mapping[str, ListedFile], extensions: Sequence[str]
) -> tuple[list[ListedFile], list[ListedFile], dict[str, list[str]]]:
    """Return all photos, those to read, and the paths of other files by reason.

    An archived photo is left out, unless it was ingested before. If it has changed since,
    its row is kept until it can be read.
    """
    photos, left_out = select_photos(store.files, extensions)
    new = find_new_or_changed(photos, existing)
    archived = {photo.path for photo in new} & store.archived
    for reason, paths in store.left_out.items():
        left_out.setdefault(reason, []).extend(paths)
    new = [photo for photo in new if photo.path not in archived]
    archived -= existing.keys()
    if archived:
        left_out[ARCHIVED] = sorted(archived)
        photos = [photo for photo in photos if photo.path not in archived]
    return photos, new, left_out


def _no_photos_error(
    store: Listing, left_out: LeftOut, parameters: IngestParameters
) -> FruitsError:
    if FORGOTTEN in left_out:
        return FruitsError(
            f"Found no photo to ingest in {store.photo_root}: {describe(left_out)}; "
            "expected photos that were not erased. Add some, or set another folder with "
            "--params photos=..."
        )
    return FruitsError(
        f"Found no photo in {store.photo_root}, but other files: {describe(left_out)}; "
        "expected files with one of the "
        f"extensions {', '.join(parameters.extensions)}. Set the folder with "
        "--params photos=..., or ingest.extensions in parameters_ingest.yml."
    )


def _files_by_path(files: pa.Table) -> dict[str, ListedFile]:
    columns = [files[name].to_pylist() for name in ListedFile._fields]
    return {row[0]: ListedFile(*row) for row in zip(*columns, strict=True)}


def _log_counts(photo_root: str, counts: Mapping[str, Any], left_out: LeftOut) -> None:
    logger.info(
        "Found %d photos in %s, %d of them new or changed; other files: %s",
        counts["photos"],
        photo_root,
        counts["new_or_changed"],
        describe(left_out) or "none",
    )


def _warn_of_left_out(left_out: LeftOut, files: int, extensions: Sequence[str]) -> None:
    """Warn of files that may be photos, and of archived photos."""
    if archived := left_out.get(ARCHIVED):
        logger.warning(
            "Left out %s; restore them, and run again to ingest them",
            describe({ARCHIVED: archived}),
        )
    if overlooked := find_overlooked(left_out, files, extensions):
        logger.warning(
            "Left out files that may be photos: %s. Only files with an extension in "
            "ingest.extensions are ingested: add theirs if Pillow can decode them, or "
            "convert them to JPEG, for example raw files of cameras",
            describe(overlooked),
        )


def _make_batches(
    files: list[ListedFile], photo_root: str, first: int, parameters: IngestParameters
) -> Batches:
    size = parameters.photos_per_batch
    batches = [files[i : i + size] for i in range(0, len(files), size)]
    return {
        f"{number:06d}": partial(make_listing, batch, photo_root, parameters)
        for number, batch in enumerate(batches, first)
    }


def make_listing(
    files: list[ListedFile], photo_root: str, parameters: IngestParameters
) -> DataFrame:
    """Return `LISTING` rows, with one Spark task per part."""
    parts = split_into_parts(files, parameters.photos_per_part, parameters.part_bytes)
    rows = ([file._asdict() | {"root": photo_root} for file in part] for part in parts)
    tables = [pa.Table.from_pylist(part, schemas.LISTING) for part in rows]
    return from_tables(tables, schemas.LISTING)
