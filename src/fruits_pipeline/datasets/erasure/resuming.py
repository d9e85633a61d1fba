"""Begin an erasure, or complete one that was interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fruits_pipeline.datasets.erasure.selection import strip_root
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.forgotten import (
    ForgottenPhoto,
    ForgottenPhotos,
    UnfinishedErasure,
    hash_text,
)
from fruits_pipeline.io.search_terms import FILE_NAME, SearchTerms


def begun_terms(
    stored: SearchTerms | None,
    forgotten: ForgottenPhotos,
    arguments: Sequence[str],
    photo_root: str,
) -> SearchTerms:
    """Return what an interrupted erasure searches for; nothing if there is none.

    Args:
        stored: Content of the file of the interrupted erasure; None if there is none.
        forgotten: The erased photos.
        arguments: Arguments of this call.
        photo_root: Path or URL of the photo root.

    Raises:
        FruitsError: The file is lost, and this call lacks arguments of the interrupted one.
    """
    if stored or not forgotten.unfinished:
        return stored or SearchTerms()
    paths = (strip_root(name, photo_root) for name in arguments)
    given = {*map(hash_text, [*arguments, *paths])}
    lost = {*forgotten.unfinished.arguments} - given
    if lost:
        raise FruitsError(
            f"Found an interrupted erasure, but no {FILE_NAME} below `root` with the paths, "
            f"ids and samples to search for; {len(lost)} arguments of the interrupted call "
            "are missing. Repeat `kedro forget` with all photos of that call, spelled as "
            "before: then their paths are searched, and the receipt states what could not "
            "be searched."
        )
    return SearchTerms(is_complete=False)


def begin(
    photos: Iterable[ForgottenPhoto],
    older: UnfinishedErasure | None,
    arguments: Iterable[str],
    stages: Iterable[str],
) -> UnfinishedErasure:
    """Return the entry of an erasure; it includes that of an interrupted one.

    Args:
        photos: The photos to erase.
        older: The entry of an interrupted erasure.
        arguments: Arguments of this call, relative to the photo root.
        stages: Stages whose results will be deleted.
    """
    older = older or UnfinishedErasure()
    return UnfinishedErasure(
        arguments=tuple(sorted({*older.arguments, *map(hash_text, arguments)})),
        photos=tuple(sorted({*older.photos, *(photo.key for photo in photos)})),
        stages=tuple(dict.fromkeys([*older.stages, *stages])),
    )
