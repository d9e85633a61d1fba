"""Reuse the rows of photos that a table contains already, under any path.

The rows of a moved photo are deleted from the table in the same run: their files stay in
storage until its end. A killed run may delete them; then the photo is computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline.datasets.delta.comparison import UpstreamDifference
from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.photo_changes import Hashes, are_in, hash_ids
from fruits_pipeline.spark.batches import Batches
from fruits_pipeline.spark.frames import attach_parts, parts_of
from fruits_pipeline.spark.known import copy_known_rows

MIN_SHARE = 0.05
"""Minimum share of the rows of a source that must be reused for it to be read."""

MAX_SMALL_SOURCES = 8
"""Number of sources that are read for any share of their rows."""


@dataclass(frozen=True)
class Source:
    """Files of a table that can be reused.

    Attributes:
        files: Paths or URLs of the files.
        hashes: Hashes of their photos.
    """

    files: Sequence[str]
    hashes: Hashes


def find_sources(
    log: DeltaLog, deleted: UpstreamDifference, listed: Mapping[str, Hashes]
) -> Iterator[Source]:
    """Yield the files with deleted rows, and the batches of listed photos.

    Args:
        log: The table, after rows that do not exist upstream were deleted.
        deleted: The rows that were deleted.
        listed: Hashes of photos by batch, without batches to compute again.
    """
    for file in (*deleted.extra_files, *deleted.extra_rows):
        hashes = read_hashes(log, [file])
        yield Source([f"{log.location}/{file.path}"], hashes)
    for name, hashes in listed.items():
        files = log.batches.get(name, ())
        yield Source([f"{log.location}/{file.path}" for file in files], hashes)


def read_hashes(log: DeltaLog, files: Sequence[DataFile]) -> Hashes:
    """Read the hashes of the photos in files of a table."""
    return hash_ids(log.read(files, ["photo_id"])["photo_id"])


def reuse_rows(
    missing: Batches,
    sources: Iterable[Source],
    read: Callable[[str], Hashes],
    schema: pa.Schema,
) -> Batches:
    """Return the same batches, which copy rows of photos that the table contains.

    Args:
        missing: Batches to compute.
        sources: Files of the table that can be reused.
        read: Returns the hashes of the photos of a batch, by name.
        schema: Schema of the table.
    """
    found = [source for source in sources if source.files and len(source.hashes)]
    if not found:
        return missing
    index, batches = SourceIndex.of(found), {}
    for name, load in missing.items():
        files = [file for i in index.find(read(name)) for file in found[i].files]
        batches[name] = partial(_load, load, files, schema) if files else load
    return batches


@dataclass(frozen=True)
class SourceIndex:
    """Index of sources by hash.

    Attributes:
        hashes: All hashes of the sources, sorted, without duplicates.
        sources: Number of a source that contains the photo, for each hash.
        lengths: Number of photos of each source.
    """

    hashes: Hashes
    sources: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    @classmethod
    def of(cls, sources: Sequence[Source]) -> SourceIndex:
        """Return the index of sources with photos."""
        lengths = np.array([len(source.hashes) for source in sources])
        joined = np.concatenate([source.hashes for source in sources])
        hashes, first = np.unique(joined, return_index=True)
        return cls(hashes, np.repeat(np.arange(len(sources)), lengths)[first], lengths)

    def find(self, hashes: Hashes) -> list[int]:
        """Return the numbers of the sources to read for the photos of a batch.

        In the order of the number of photos. Sources with few of the photos are left out,
        because reading their files takes longer than computing the rows.
        """
        known = hashes[are_in(hashes, self.hashes) & (hashes != 0)]
        numbers = self.sources[np.searchsorted(self.hashes, known)]
        counts = np.bincount(numbers, minlength=len(self.lengths))
        by_count = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
        return [
            int(number)
            for rank, number in enumerate(by_count)
            if rank < MAX_SMALL_SOURCES
            or counts[number] >= MIN_SHARE * self.lengths[number]
        ]


def _load(
    load: Callable[[], DataFrame], files: Sequence[str], schema: pa.Schema
) -> DataFrame:
    """Return the rows of a batch, and attach parts that copy known rows."""
    rows = load()
    parts = parts_of(rows)
    if parts is None:
        return rows
    return attach_parts(rows, [copy_known_rows(p, files, schema) for p in parts])
