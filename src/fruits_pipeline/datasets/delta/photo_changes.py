"""Changes of the table `photos`: new batches, and photos that no longer exist."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from fruits_pipeline.datasets.delta.photo_hashes import PhotoHashes
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.left_out import PathSample
from fruits_pipeline.io.row_file import RowFile
from fruits_pipeline.spark.batches import Batches


@dataclass(frozen=True)
class GonePhotos:
    """Ingested photos that no longer exist in the photo root.

    Attributes:
        photos: Their rows of `schemas.INGESTED`, sorted by path.
        ingested: Number of all ingested photos.
        photo_root: Path or URL of the photo root.
        delete: Whether to delete their rows, or only those of moved photos.
        max_rate: Maximum share of photos to delete, 0 to 1.
    """

    photos: RowFile
    ingested: int
    photo_root: str
    delete: bool
    max_rate: float

    def check_rate(self, lost: PathSample) -> None:
        """Raise if the rows of too many photos would be deleted.

        Args:
            lost: The photos that were not moved.

        Raises:
            FruitsError: Their share is above `max_rate`.
        """
        rate = lost.count / max(self.ingested, 1)
        if not self.delete or rate <= self.max_rate:
            return
        raise FruitsError(
            f"Found that {lost.count} of {self.ingested} ingested photos ({rate:.1%}) are "
            f"no longer in {self.photo_root}{examples(lost.smallest)}; expected at most "
            f"ingest.max_gone_rate = {self.max_rate:.1%}. No row was deleted. Restore the "
            "photos if a folder or disk is missing. To delete their rows, run again with "
            f"--params ingest.gone=delete,ingest.max_gone_rate={_round_up(rate)}; to keep "
            "them, with ingest.gone=keep"
        )


@dataclass(frozen=True)
class PhotoChanges:
    """Changes of the table `photos`.

    Attributes:
        new: Batches of new and changed photos.
        gone: Ingested photos that no longer exist; None if nobody has looked for any.
        listed: Hashes of the ingested photos that still exist.
    """

    new: Batches
    gone: GonePhotos | None = None
    listed: PhotoHashes = field(default_factory=PhotoHashes)


def examples(paths: Sequence[str]) -> str:
    """Return up to three paths, as an addition in brackets."""
    return f" (such as {', '.join(map(repr, sorted(paths)[:3]))})"


def _round_up(rate: float) -> float:
    return min(1.0, math.ceil(rate * 1000) / 1000)
