"""Changes of the table `photos`: new batches, and photos that no longer exist."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.batches import Batches

Hashes = npt.NDArray[np.uint64]
"""64-bit hashes of `photo_id`; 0 for a photo that was not read.

A million photos need 8 MB, their ids 70 MB. Photos with equal hashes are probably equal;
compare their ids to be sure.
"""


def hash_ids(photo_ids: pa.Array | pa.ChunkedArray) -> Hashes:
    """Return the hashes of `photo_id` values."""
    ids = photo_ids.to_numpy(zero_copy_only=False)
    hashes: Hashes = pd.util.hash_array(ids, categorize=False)
    return np.where(pd.isna(ids), np.uint64(0), hashes)


def are_in(hashes: Hashes, values: Hashes) -> npt.NDArray[np.bool_]:
    """Return whether each hash is in sorted values; faster than `np.isin` for few hashes."""
    if not len(values):
        return np.zeros(len(hashes), bool)
    positions = np.searchsorted(values, hashes).clip(max=len(values) - 1)
    found: npt.NDArray[np.bool_] = values[positions] == hashes
    return found


@dataclass(frozen=True)
class GonePhotos:
    """Ingested photos that no longer exist in the photo root.

    Attributes:
        photos: Their rows of `schemas.INGESTED`.
        ingested: Number of all ingested photos.
        photo_root: Path or URL of the photo root.
        delete: Whether to delete their rows, or only those of moved photos.
        max_rate: Maximum share of photos to delete, 0 to 1.
    """

    photos: pa.Table
    ingested: int
    photo_root: str
    delete: bool
    max_rate: float

    def check_rate(self, lost: Sequence[str]) -> None:
        """Raise if the rows of too many photos would be deleted.

        Args:
            lost: Paths of the photos that were not moved.

        Raises:
            FruitsError: Their share is above `max_rate`.
        """
        rate = len(lost) / max(self.ingested, 1)
        if not self.delete or rate <= self.max_rate:
            return
        raise FruitsError(
            f"Found that {len(lost)} of {self.ingested} ingested photos ({rate:.1%}) are "
            f"no longer in {self.photo_root}{examples(lost)}; expected at most "
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
        listed: Hashes of the ingested photos that still exist, by batch.
    """

    new: Batches
    gone: GonePhotos | None = None
    listed: Mapping[str, Hashes] = field(default_factory=dict)


def examples(paths: Sequence[str]) -> str:
    """Return up to three paths, as an addition in brackets."""
    return f" (such as {', '.join(map(repr, sorted(paths)[:3]))})"


def _round_up(rate: float) -> float:
    return min(1.0, math.ceil(rate * 1000) / 1000)
