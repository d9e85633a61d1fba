"""Check that erasures of photos are complete."""

from __future__ import annotations

from collections.abc import Iterator

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.forgotten import ForgottenPhotos
from fruits_pipeline.io.search_terms import FILE_NAME, SearchTerms
from fruits_pipeline.pipelines.check.findings import FORGET, Finding

WHERE = "erasure"


def check_erasures(
    forgotten: ForgottenPhotos | FruitsError, terms: SearchTerms | FruitsError | None
) -> Iterator[Finding]:
    """Check that the list of erased photos is readable, and no erasure was interrupted.

    Args:
        forgotten: The erased photos.
        terms: What an interrupted erasure searches for; None if there is no file.
    """
    complete = "a complete erasure, with a receipt"
    if isinstance(forgotten, FruitsError):
        yield Finding(WHERE, f"no list ({forgotten})", "the list of erased photos", "")
    elif forgotten.unfinished:
        found = f"an interrupted erasure of {len(forgotten.unfinished.photos)} photos"
        yield Finding(WHERE, found, complete, FORGET)
    elif terms is not None:
        found = f"{FILE_NAME} of an interrupted erasure"
        yield Finding(WHERE, found, complete, FORGET)
