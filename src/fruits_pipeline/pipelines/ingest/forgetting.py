"""Leave out the files of erased photos."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from fruits_pipeline.datasets import ExistingPhotos, Listing
from fruits_pipeline.datasets.photo_listing import to_files
from fruits_pipeline.io.forgotten import ForgottenPhotos, find_forgotten
from fruits_pipeline.io.left_out import FORGOTTEN, MAYBE_FORGOTTEN
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.io.sorted_runs import find_bounds
from fruits_pipeline.parameters import IngestParameters
from fruits_pipeline.pipelines.ingest.comparison import find_changed

logger = logging.getLogger(__name__)


def leave_out_forgotten(
    photo_store: Listing,
    existing_photos: ExistingPhotos,
    forgotten: ForgottenPhotos,
    parameters: IngestParameters,
) -> Listing:
    """Exclude the files of erased photos from a listing.

    A file that may be an erased photo, and cannot be read now, is left out of this run.

    Args:
        photo_store: The files below the photo root.
        existing_photos: Content of the table `photos` before the run.
        forgotten: The erased photos.
        parameters: Parameters of the stage.
    """
    if forgotten.unfinished:
        logger.warning(
            "Found an erasure that was interrupted; expected it to be complete. Repeat "
            "`kedro forget` with the same arguments, or without any photos"
        )
    if not forgotten.photos:
        return photo_store
    read = partial(photo_store.read, requests_in_flight=parameters.requests_in_flight)
    new = _new_files(photo_store, existing_photos)
    found = find_forgotten(new, forgotten, read)
    excluded = {file.path: FORGOTTEN for file in found.forgotten}
    excluded |= {file.path: MAYBE_FORGOTTEN for file in found.unread}
    return replace(photo_store, excluded=excluded)


def _new_files(listing: Listing, existing: ExistingPhotos) -> Iterator[ListedFile]:
    """Yield the new and changed files, and those that could not be read before."""
    runs = listing.files.runs, existing.runs
    bounds = find_bounds(*runs)
    for files, ingested in zip(*(r.ranges(bounds) for r in runs), strict=True):
        yield from to_files(find_changed(files, ingested))
