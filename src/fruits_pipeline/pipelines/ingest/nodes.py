"""Ingest: photos that are new in the store become batches of the table `photos`."""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import replace
from functools import partial

from fruits_pipeline import arrow_steps, parts, schemas
from fruits_pipeline.batches import Batches, computed
from fruits_pipeline.datasets import Listing
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.listing import (
    File,
    cut_parts,
    new_photos,
    select_photos,
)
from fruits_pipeline.parameters import IngestParameters
from fruits_pipeline.parts import Part
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
    rules = [re.compile(rule) for rule in parameters.path_rules]
    step = partial(
        arrow_steps.fetch,
        root=photo_store.root,
        requests_in_flight=parameters.requests_in_flight,
    )

    def parts_of(name: str) -> list[Part]:
        cut = cut_parts(plan[name], parameters.photos_per_part, parameters.part_bytes)
        return [
            parts.then(partial(arrow_steps.list_files, files, rules), step)
            for files in cut
        ]

    return computed(tuple(plan), parts_of, schemas.PHOTOS, recipe)


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
    """Return the newest version held of every path."""
    if not photos.names:
        return {}
    table = photos.rows().select("batch", *File._fields).toArrow().sort_by("batch")
    rows = zip(*(table[name].to_pylist() for name in File._fields), strict=True)
    return {file.path: file for file in map(File._make, rows)}


def _no_photos(
    store: Listing, left_out: Counter[str], parameters: IngestParameters
) -> FruitsError:
    return FruitsError(
        f"Found {len(store.files)} files in {store.root}, none of them a photo "
        f"({dict(left_out)}); expected files that end in one of "
        f"{', '.join(parameters.extensions)}. Set the folder with --params photos=..., "
        "or the endings with ingest.extensions in parameters_ingest.yml."
    )
