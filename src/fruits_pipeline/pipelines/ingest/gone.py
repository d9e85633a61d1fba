"""Find the ingested photos that no longer exist in the photo root."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from fruits_pipeline.datasets.delta.photo_hashes import Hashes, PhotoHashes, are_in
from fruits_pipeline.io.left_out import EXAMPLES, PathSample
from fruits_pipeline.io.row_file import RowFile


def find_lost(gone: RowFile, listed: PhotoHashes, new: RowFile) -> PathSample:
    """Return the gone photos that were certainly not moved.

    Their bytes are not those of another listed photo, and no new file of the same size
    is left that they could have been moved to. Memory depends on the number of gone
    photos (8 bytes each) and of their sizes, not on that of all photos.

    Args:
        gone: `INGESTED` rows of photos that no longer exist.
        listed: Hashes of ingested photos that exist.
        new: New and changed files.
    """
    hashes = [rows["id_hash"].to_numpy() for rows in gone.tables()]
    known = np.unique(np.concatenate([np.zeros(1, np.uint64), *hashes]))[1:]
    elsewhere, _ = listed.find(known)
    lost = Counter(size for _, size in _candidates(gone, elsewhere))
    left = Counter[int]()
    for rows in new.tables() if lost else ():
        left.update(size for size in rows["size_bytes"].to_pylist() if size in lost)
    lost -= left
    sample = PathSample(lost.total())
    for path, size in _candidates(gone, elsewhere) if lost else ():
        if left[size]:
            left[size] -= 1
        elif len(sample.smallest) < EXAMPLES:
            sample.smallest.append(path)
        else:
            break
    return sample


def _candidates(gone: RowFile, elsewhere: Hashes) -> Iterator[tuple[str, int]]:
    """Yield path and size of the photos that were read and are not elsewhere."""
    for rows in gone.tables():
        hashes = rows["id_hash"].to_numpy()
        kept = ~are_in(hashes, elsewhere) & (hashes != 0)
        found = rows.filter(kept)
        yield from zip(
            found["path"].to_pylist(), found["size_bytes"].to_pylist(), strict=True
        )
