"""Delete rows of photos that no longer exist in the photo root."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.photo_changes import GonePhotos, examples
from fruits_pipeline.datasets.delta.photo_hashes import PhotoHashes, are_in
from fruits_pipeline.datasets.delta.saving import rewrite_files
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.datasets.photo_listing import work_folder
from fruits_pipeline.io.left_out import PathSample
from fruits_pipeline.io.sorted_runs import SortedRuns, find_bounds

_TEXT = pa.string()
_GONE = pa.schema([("batch", _TEXT), ("path", _TEXT)])
_KEYS = pa.schema([("photo_id", _TEXT), ("path", _TEXT), ("file", _TEXT)])
_IDS = pa.schema([("photo_id", _TEXT)])

logger = logging.getLogger(__name__)


class RemovedRows(NamedTuple):
    """Number of rows that a run has removed from `photos`.

    Attributes:
        moved: Photos whose bytes exist under another path.
        deleted: Other photos.
    """

    moved: int = 0
    deleted: int = 0


@dataclass
class _Rows:
    """Rows of gone photos.

    Attributes:
        removed: `path` and `file` of the rows to remove, by file.
        moved: Number of those whose bytes exist under another path.
        lost: Photos that were read, and whose bytes exist nowhere else.
    """

    removed: SortedRuns
    moved: int = 0
    lost: PathSample = field(default_factory=PathSample)


def remove_gone(
    writer: TableWriter,
    gone: GonePhotos | None,
    listed: PhotoHashes,
    schema: pa.Schema,
) -> RemovedRows:
    """Delete the rows of photos that were moved or deleted, in one commit.

    A row is deleted if its bytes exist under a path that is listed, if it contains no
    bytes because its photo could not be read, or if `gone.delete` is set.

    Args:
        writer: Writer of `photos`, after new and changed photos were added.
        gone: Photos that no longer exist.
        listed: Hashes of the photos that exist.
        schema: Schema of the data files.

    Raises:
        FruitsError: More photos were deleted than `gone.max_rate` allows.
    """
    if gone is None or not len(gone.photos):
        return RemovedRows()
    batches, kept = _find_batches(gone, listed)
    rows = _find_rows(writer.log, gone, batches)
    gone.check_rate(rows.lost)
    if len(rows.removed):
        writer.claim()
        removed = list[DataFile]()
        deletions = _deletions(writer.log, rows.removed, removed)
        rewritten = rewrite_files(writer.log.location, deletions, schema)
        writer.commit(rewritten, removed)
    result = RemovedRows(rows.moved, len(rows.removed) - rows.moved)
    if not gone.delete:
        kept.merge(rows.lost)
    _report(gone, result, kept)
    return result


def _find_batches(gone: GonePhotos, listed: PhotoHashes) -> tuple[set[str], PathSample]:
    """Return the batches to read, and the gone photos that are certainly kept.

    They may contain rows to remove, or the bytes of moved photos. Usually there are none.
    """
    hashes = [rows["id_hash"].to_numpy() for rows in gone.photos.tables()]
    known = np.unique(np.concatenate([np.zeros(1, np.uint64), *hashes]))[1:]
    existing, batches = listed.find(known)
    kept = PathSample()
    for rows in gone.photos.tables():
        found = rows["id_hash"].to_numpy()
        is_removable = are_in(found, existing) | (found == 0) | gone.delete
        removable = rows.filter(pa.array(is_removable))
        batches |= {*removable["batch"].unique().to_pylist()}
        others = rows["path"].filter(pa.array(~is_removable))
        kept.merge(PathSample(len(others), others.slice(0, 3).to_pylist()))
    return batches, kept


def _find_rows(log: DeltaLog, gone: GonePhotos, batches: set[str]) -> _Rows:
    """Find the rows of gone photos in some batches, and which of them were moved."""
    found, existing = (
        SortedRuns(_KEYS, work_folder, "photo_id"),
        SortedRuns(_IDS, work_folder, "photo_id"),
    )
    rows = _Rows(SortedRuns(_KEYS, work_folder, "file"))
    for is_gone, keys in _read_keys(log, gone, batches):
        is_read = pc.is_valid(keys["photo_id"])
        found.add(keys.filter(pc.and_(is_gone, is_read)))
        existing.add(keys.filter(pc.and_not(is_read, is_gone)))
        rows.removed.add(keys.filter(pc.and_not(is_gone, is_read)))
    bounds = find_bounds(found, existing)
    for gone_rows, others in zip(
        found.ranges(bounds), existing.ranges(bounds), strict=True
    ):
        is_moved = pc.is_in(gone_rows["photo_id"], others["photo_id"].combine_chunks())
        moved = gone_rows.filter(is_moved)
        lost = gone_rows.filter(pc.invert(is_moved))
        rows.moved += len(moved)
        rows.removed.add(gone_rows if gone.delete else moved)
        rows.lost.add(*lost["path"].to_pylist())
    return rows


def _read_keys(
    log: DeltaLog, gone: GonePhotos, batches: set[str]
) -> Iterator[tuple[pa.Array, pa.Table]]:
    """Yield the rows of each file of some batches, and which of them are gone."""
    by_batch = SortedRuns(_GONE, work_folder, "batch")
    for rows in gone.photos.tables():
        by_batch.add(rows)
    names = sorted(log.batches)
    # The first range is empty: no batch is before the first one.
    for name, rows in zip(["", *names], by_batch.ranges(names), strict=True):
        for file in log.batches[name] if name in batches else ():
            keys = log.read([file], ["photo_id", "path"])
            paths = pa.array([file.path] * len(keys), _TEXT)
            is_gone = pc.is_in(keys["path"], rows["path"].combine_chunks())
            yield is_gone, keys.append_column("file", paths)


def _deletions(
    log: DeltaLog, removed: SortedRuns, files: list[DataFile]
) -> Iterator[tuple[DataFile, pa.Array]]:
    """Yield the paths to remove from each file; add the file to `files`."""
    by_path = {file.path: file for file in log.files}
    for rows in removed.ranges(find_bounds(removed)):
        for name in rows["file"].unique().to_pylist():
            files.append(by_path[name])
            is_inside = pc.equal(rows["file"], name)
            yield by_path[name], rows["path"].filter(is_inside).combine_chunks()


def _report(gone: GonePhotos, removed: RemovedRows, kept: PathSample) -> None:
    """Log what was deleted, and warn of the rows that are kept."""
    if removed.moved:
        logger.info("photos: %d photos were moved or renamed", removed.moved)
    if removed.deleted:
        logger.info("photos: deleted %d rows of photos that are gone", removed.deleted)
    if kept.count:
        logger.warning(
            "Found that %d ingested photos are no longer in %s%s; their rows are kept and "
            "used by all stages. Restore the photos, or delete the rows with --params "
            "ingest.gone=delete",
            kept.count,
            gone.photo_root,
            examples(kept.smallest),
        )
