"""Leave out the files of erased photos."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from fruits_pipeline.datasets import ExistingPhotos, Listing
from fruits_pipeline.io.exclusions import FORGOTTEN, MAYBE_FORGOTTEN
from fruits_pipeline.io.forgotten import ForgottenPhotos, find_forgotten
from fruits_pipeline.io.listing import ListedFile, find_new_or_changed
from fruits_pipeline.parameters import IngestParameters

logger = logging.getLogger(__name__)


def leave_out_forgotten(
    photo_store: Listing,
    existing_photos: ExistingPhotos,
    forgotten: ForgottenPhotos,
    parameters: IngestParameters,
) -> Listing:
    """Move the files of erased photos from `files` to `left_out`.

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
    rows = existing_photos.files.select([*ListedFile._fields]).to_pylist()
    listed = [ListedFile(**row) for row in rows]
    existing = {f.path: f for f in listed if f.path not in existing_photos.unread}
    new = find_new_or_changed(photo_store.files, existing)
    read = partial(photo_store.read, requests_in_flight=parameters.requests_in_flight)
    found = find_forgotten(new, forgotten, read)
    excluded = found.forgotten | found.unread
    return replace(
        photo_store,
        files=[file for file in photo_store.files if file not in excluded],
        left_out={
            **photo_store.left_out,
            **_paths(FORGOTTEN, found.forgotten),
            **_paths(MAYBE_FORGOTTEN, found.unread),
        },
    )


def _paths(reason: str, files: Iterable[ListedFile]) -> dict[str, list[str]]:
    """Return the sorted paths by reason; nothing if there are none."""
    paths = sorted(file.path for file in files)
    return {reason: paths} if paths else {}
