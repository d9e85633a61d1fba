"""Hashes of the ids of photos, in a temporary file."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

Hashes = npt.NDArray[np.uint64]
"""64-bit hashes of `photo_id`; 0 for a photo that was not read.

Photos with equal hashes are probably equal; compare their ids to be sure.
"""

Numbers = npt.NDArray[np.uint32]

MEMORY_BYTES = 2**20
"""Size up to which hashes stay in memory."""

CHUNK_ROWS = 2**18
"""Hashes that are read at a time."""

_ROW = np.dtype([("number", np.uint32), ("hash", np.uint64)])


class PhotoHashes:
    """Pairs of a batch and the hash of a photo in it: 12 bytes per photo, on disk.

    Attributes:
        numbers: Numbers of all batches.
    """

    def __init__(self) -> None:
        file = tempfile.SpooledTemporaryFile(MEMORY_BYTES)  # noqa: SIM115
        weakref.finalize(self, file.close)
        self._file = file
        self._added: dict[str, tuple[int, int]] = {}
        self.numbers: set[int] = set()

    def add(self, batches: pa.ChunkedArray, hashes: Hashes) -> None:
        """Add photos.

        Args:
            batches: Name of the batch of each photo.
            hashes: Hash of each photo.
        """
        self._append(batches.cast(pa.uint32()).to_numpy(), hashes)

    def add_batch(self, name: str, hashes: Hashes) -> None:
        """Add all photos of a batch."""
        start = self._append(np.full(len(hashes), int(name), np.uint32), hashes)
        self._added[name] = start, len(hashes) * _ROW.itemsize

    def _append(self, numbers: Numbers, hashes: Hashes) -> int:
        """Write rows, and return their position."""
        rows = np.empty(len(hashes), _ROW)
        rows["number"], rows["hash"] = numbers, hashes
        self.numbers |= {*map(int, np.unique(numbers))}
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(rows.tobytes())
        return start

    def chunks(self) -> Iterator[tuple[Numbers, Hashes]]:
        """Yield batch numbers and hashes of all photos, in several arrays."""
        position = 0
        while True:
            self._file.seek(position)
            content = self._file.read(CHUNK_ROWS * _ROW.itemsize)
            if not content:
                return
            position += len(content)
            rows = np.frombuffer(content, _ROW)
            yield rows["number"], rows["hash"]

    def of_batch(self, name: str) -> Hashes | None:
        """Return the hashes of a batch; None if `add_batch` was not called for it."""
        if name not in self._added:
            return None
        start, length = self._added[name]
        self._file.seek(start)
        rows = np.frombuffer(self._file.read(length), _ROW)
        hashes: Hashes = rows["hash"]
        return hashes

    def find(self, values: Hashes) -> tuple[Hashes, set[str]]:
        """Return which of some hashes exist, and the batches that contain them.

        Args:
            values: Sorted hashes, without 0.
        """
        existing, batches = [np.empty(0, np.uint64)], set[str]()
        for numbers, hashes in self.chunks():
            found = are_in(hashes, values)
            existing.append(np.unique(hashes[found]))
            batches |= {batch_name(number) for number in np.unique(numbers[found])}
        return np.unique(np.concatenate(existing)), batches


def batch_name(number: int) -> str:
    """Return the name of a batch."""
    return f"{number:06d}"


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
