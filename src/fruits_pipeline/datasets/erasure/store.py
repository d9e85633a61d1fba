"""Erased photos that still exist in the photo root, and the counts of its listing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fruits_pipeline.datasets.photo_listing import Listing
from fruits_pipeline.io.forgotten import ForgottenPhotos, find_forgotten
from fruits_pipeline.io.left_out import FORGOTTEN


def find_present(
    listing: Listing, forgotten: ForgottenPhotos, stored: Collection[str]
) -> list[str]:
    """Return the sorted paths of files in the photo root with erased photos.

    Args:
        listing: The files below the photo root.
        forgotten: The erased photos.
        stored: Paths in the table `photos`, which are not erased.
    """
    others = (file for file in listing.files if file.path not in stored)
    found = find_forgotten(others, forgotten, listing.read)
    return sorted(file.path for file in found.forgotten)


def correct_counts(
    counts: Mapping[str, Any], stored: Collection[str], listing: Listing | None
) -> dict[str, Any]:
    """Return the counts of the latest listing, so that they fit the table `photos`.

    Erased photos that were listed are left out now.

    Args:
        counts: The counts before.
        stored: Paths in the table `photos`.
        listing: The files below the photo root; None if it cannot be listed.
    """
    gone = min(counts["gone"], len(stored))
    if listing:
        listed = sum(file.path in stored for file in listing.files)
        gone = min(gone, len(stored) - listed)
    left_out = {n: c for n, c in counts["left_out"].items() if n != FORGOTTEN}
    photos = len(stored) - gone
    if forgotten := max(0, counts["files"] - photos - sum(left_out.values())):
        left_out[FORGOTTEN] = forgotten
    return {**counts, "photos": photos, "gone": gone, "left_out": left_out}
