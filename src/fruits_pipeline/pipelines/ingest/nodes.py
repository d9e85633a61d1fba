"""Ingest: photos that are new in the store become batches of the table `photos`."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame as SparkDataFrame
from pyspark.sql import SparkSession

from fruits_pipeline import arrow_steps, schemas
from fruits_pipeline.batches import Batches, in_arrow, newest
from fruits_pipeline.datasets import Listing
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.listing import File, new_photos, origin, select_photos
from fruits_pipeline.parameters import IngestParameters
from fruits_pipeline.recipes import extend

logger = logging.getLogger(__name__)


def ingest_photos(
    photo_store: Listing, held_photos: Batches, parameters: IngestParameters
) -> Batches:
    """Plan batches of the photos that `photos` does not hold yet, or not as they are.

    Args:
        photo_store: All files below the photo root.
        held_photos: The table `photos` before this run.
        parameters: Of the stage.

    Returns:
        The new batches, numbered on from those held; `photos` rows.

    Raises:
        FruitsError: None of the files is a photo.
    """
    recipe = extend({}, "ingest", {"path_rules": parameters.path_rules})
    if held_photos.recipe != recipe:  # refused on save, or made anew: from the start
        held_photos = replace(held_photos, names=())
    new = _new_photos(photo_store, held_photos, parameters)
    size = parameters.photos_per_batch
    first = int(held_photos.names[-1]) + 1 if held_photos.names else 1
    plan = {
        f"{first + i // size:06d}": new[i : i + size] for i in range(0, len(new), size)
    }
    step = partial(
        arrow_steps.fetch,
        root=photo_store.root,
        requests_in_flight=parameters.requests_in_flight,
    )
    rules = [re.compile(rule) for rule in parameters.path_rules]

    def read(names: Sequence[str]) -> SparkDataFrame:
        files = [file for name in names for file in plan[name]]
        return in_arrow(_rows(files, rules), step, schemas.PHOTOS)

    return Batches(tuple(plan), read, recipe)


def _new_photos(
    store: Listing, held_photos: Batches, parameters: IngestParameters
) -> list[File]:
    photos, left_out = select_photos(store.files, parameters.extensions)
    if not photos:
        raise _no_photos(store, left_out, parameters)
    held = _held(held_photos)
    new = new_photos(photos, held)
    gone = len(held.keys() - {photo.path for photo in photos})
    logger.info(
        "%s: %d photos, %d of them new or changed; %d other files left out %s; "
        "%d photos held are gone from there and stay held",
        *(store.root, len(photos), len(new), left_out.total(), dict(left_out), gone),
    )
    return new


def _held(photos: Batches) -> dict[str, File]:
    if not photos.names:
        return {}
    versions = photos.rows().select(*File._fields, "batch")
    table = newest(versions).select(*File._fields).toArrow()
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return {file.path: file for file in map(File._make, rows)}


def _rows(files: Sequence[File], rules: Sequence[re.Pattern[str]]) -> SparkDataFrame:
    rows = [file._asdict() | origin(file.path, rules)._asdict() for file in files]
    listing = pa.Table.from_pylist(rows, schemas.LISTING)
    return SparkSession.builder.getOrCreate().createDataFrame(listing)


def _no_photos(
    store: Listing, left_out: Counter[str], parameters: IngestParameters
) -> FruitsError:
    return FruitsError(
        f"Found {len(store.files)} files in {store.root}, none of them a photo "
        f"({dict(left_out)}); expected files that end in one of "
        f"{', '.join(parameters.extensions)}. Set the folder with --params photos=..., "
        "or the endings with ingest.extensions in parameters_ingest.yml."
    )
