"""Reuse the rows of photos that a table contains already, under any path.

The rows of a moved photo are deleted from the table in the same run: their files stay in
storage until its end. A killed run may delete them; then the photo is computed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from fruits_pipeline.datasets.delta.comparison import UpstreamDifference
from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.photo_hashes import (
    Hashes,
    Numbers,
    PhotoHashes,
    are_in,
    batch_name,
    hash_ids,
)
from fruits_pipeline.spark.batches import Batches
from fruits_pipeline.spark.frames import attach_parts, parts_of
from fruits_pipeline.spark.known import copy_known_rows

MIN_SHARE = 0.05
"""Minimum share of the rows of a source that must be reused for it to be read."""

MAX_SMALL_SOURCES = 8
"""Number of sources that are read for any share of their rows."""

GROUP_BATCHES = 100
"""Number of batches whose hashes are compared with all sources at a time."""

FIRST_FILE = 2**31
"""Number of the first file with deleted rows; batches have lower numbers."""


@dataclass
class Sources:
    """Files of a table that can be reused.

    Attributes:
        files: Paths or URLs of the files of each source, by its number.
        hashes: Returns the source numbers and hashes of their photos, in chunks.
    """

    files: dict[int, Sequence[str]]
    hashes: Callable[[], Iterator[tuple[Numbers, Hashes]]]


def find_sources(
    log: DeltaLog,
    deleted: UpstreamDifference,
    listed: PhotoHashes,
    missing: Container[str],
) -> Sources:
    """Return the files with deleted rows, and the batches of listed photos.

    Args:
        log: The table, after rows that do not exist upstream were deleted.
        deleted: The rows that were deleted.
        listed: Hashes of photos by batch.
        missing: Batches to compute again.
    """
    batches = {
        number: [f"{log.location}/{file.path}" for file in log.batches[name]]
        for number in listed.numbers
        if (name := batch_name(number)) in log.batches and name not in missing
    }
    removed = [*deleted.extra_files, *deleted.extra_rows]
    files = {
        FIRST_FILE + i: [f"{log.location}/{file.path}"]
        for i, file in enumerate(removed)
    }

    def hashes() -> Iterator[tuple[Numbers, Hashes]]:
        for i, file in enumerate(removed):
            found = read_hashes(log, [file])
            yield np.full(len(found), FIRST_FILE + i, np.uint32), found
        wanted = np.array(sorted(batches), np.uint32)
        for numbers, values in listed.chunks() if batches else ():
            kept = np.isin(numbers, wanted)
            yield numbers[kept], values[kept]

    return Sources({**batches, **files}, hashes)


def read_hashes(log: DeltaLog, files: Sequence[DataFile]) -> Hashes:
    """Read the hashes of the photos in files of a table."""
    return hash_ids(log.read(files, ["photo_id"])["photo_id"])


def reuse_rows(
    missing: Batches, sources: Sources, read: Callable[[str], Hashes], schema: pa.Schema
) -> Batches:
    """Return the same batches, which copy rows of photos that the table contains.

    Args:
        missing: Batches to compute.
        sources: Files of the table that can be reused.
        read: Returns the hashes of the photos of a batch, by name.
        schema: Schema of the table.
    """
    if not sources.files:
        return missing
    batches, names = dict(missing), iter(missing)
    while group := [*islice(names, GROUP_BATCHES)]:
        numbers = choose_sources(sources, [read(name) for name in group])
        for name, chosen in zip(group, numbers, strict=True):
            if files := [file for number in chosen for file in sources.files[number]]:
                batches[name] = partial(_load, missing[name], files, schema)
    return batches


def choose_sources(sources: Sources, batches: Sequence[Hashes]) -> list[list[int]]:
    """Return the numbers of the sources to read for the photos of each batch.

    In the order of the number of photos. Sources with few of the photos are left out,
    because reading their files takes longer than computing the rows.

    Args:
        sources: Files that can be reused.
        batches: Hashes of the photos of each batch.
    """
    wanted = [np.unique(hashes[hashes != 0]) for hashes in batches]
    of_any = np.unique(np.concatenate([np.empty(0, np.uint64), *wanted]))
    lengths, found = Counter[int](), [Counter[int]() for _ in batches]
    for all_numbers, all_hashes in sources.hashes():
        lengths.update(_count(all_numbers))
        known = are_in(all_hashes, of_any)
        numbers, hashes = all_numbers[known], all_hashes[known]
        for counts, values in zip(found, wanted, strict=True) if len(hashes) else ():
            counts.update(_count(numbers[are_in(hashes, values)]))
    return [
        [
            number
            for rank, (number, count) in enumerate(counts.most_common())
            if rank < MAX_SMALL_SOURCES or count >= MIN_SHARE * lengths[number]
        ]
        for counts in found
    ]


def _count(numbers: Numbers) -> dict[int, int]:
    values, counts = np.unique(numbers, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def _load(
    load: Callable[[], DataFrame], files: Sequence[str], schema: pa.Schema
) -> DataFrame:
    """Return the rows of a batch, and attach parts that copy known rows."""
    rows = load()
    parts = parts_of(rows)
    if parts is None:
        return rows
    return attach_parts(rows, [copy_known_rows(p, files, schema) for p in parts])
