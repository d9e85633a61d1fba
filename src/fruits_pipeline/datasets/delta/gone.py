"""Delete rows of photos that no longer exist in the photo root."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.photo_changes import (
    GonePhotos,
    Hashes,
    are_in,
    examples,
)
from fruits_pipeline.datasets.delta.saving import rewrite_files
from fruits_pipeline.datasets.delta.writer import TableWriter

_KEYS = pa.schema([(name, pa.string()) for name in ("path", "photo_id", "file")])

logger = logging.getLogger(__name__)


class RemovedRows(NamedTuple):
    """Number of rows that a run has removed from `photos`.

    Attributes:
        moved: Photos whose bytes exist under another path.
        deleted: Other photos.
    """

    moved: int = 0
    deleted: int = 0


def remove_gone(
    writer: TableWriter,
    gone: GonePhotos | None,
    listed: Mapping[str, Hashes],
    schema: pa.Schema,
) -> RemovedRows:
    """Delete the rows of photos that were moved or deleted, in one commit.

    A row is deleted if its bytes exist under a path that is listed, if it contains no
    bytes because its photo could not be read, or if `gone.delete` is set.

    Args:
        writer: Writer of `photos`, after new and changed photos were added.
        gone: Photos that no longer exist.
        listed: Hashes of the photos that exist, by batch.
        schema: Schema of the data files.

    Raises:
        FruitsError: More photos were deleted than `gone.max_rate` allows.
    """
    if gone is None or not gone.photos.num_rows:
        return RemovedRows()
    rows = _find_rows(writer.log, gone, listed)
    is_lost = pc.and_not(pc.is_valid(rows["photo_id"]), rows["moved"])
    gone.check_rate(rows.filter(is_lost)["path"].to_pylist())
    removed = rows if gone.delete else rows.filter(pc.invert(is_lost))
    if len(removed):
        writer.claim()
        deletions = _paths_by_file(writer.log, removed)
        rewritten = rewrite_files(writer.log.location, deletions, schema)
        writer.commit(rewritten, deletions)
    moved = pc.sum(removed["moved"]).as_py() or 0
    result = RemovedRows(moved, len(removed) - moved)
    _report(gone, result, {*removed["path"].to_pylist()})
    return result


def _find_rows(
    log: DeltaLog, gone: GonePhotos, listed: Mapping[str, Hashes]
) -> pa.Table:
    """Return `path`, `photo_id`, `file` and `moved` of gone photos.

    Only of those that may have been moved, or that are removed anyway.
    """
    rows = _read_keys(log, gone, listed)
    is_gone = pc.is_in(rows["path"], gone.photos["path"].combine_chunks())
    existing = rows.filter(pc.invert(is_gone))["photo_id"].unique()
    found = rows.filter(is_gone)
    is_moved = pc.is_in(found["photo_id"], existing, skip_nulls=True)
    return found.append_column("moved", is_moved)


def _paths_by_file(log: DeltaLog, rows: pa.Table) -> dict[DataFile, pa.Array]:
    files = {file.path: file for file in log.files}
    return {
        files[name.as_py()]: rows.filter(pc.equal(rows["file"], name))[
            "path"
        ].combine_chunks()
        for name in rows["file"].unique()
    }


def _read_keys(
    log: DeltaLog, gone: GonePhotos, listed: Mapping[str, Hashes]
) -> pa.Table:
    """Read `path`, `photo_id` and `file` of the batches that may contain rows to remove.

    Also of the batches that may contain the bytes of moved photos. Usually there are none.
    """
    hashes = gone.photos["id_hash"].to_numpy()
    unread = hashes == 0
    known = np.unique(hashes[~unread])
    batches = {name for name, found in listed.items() if are_in(found, known).any()}
    existing = np.concatenate([hashes[:0], *(listed[name] for name in batches)])
    removable = unread | are_in(hashes, np.sort(existing)) | gone.delete
    names = gone.photos["batch"].filter(pa.array(removable))
    batches |= {*names.unique().to_pylist()}
    tables = [
        log.read([file], _KEYS.names[:2]).append_column(
            _KEYS.field("file"), [pa.array([file.path] * file.rows, pa.string())]
        )
        for name in sorted(batches)
        for file in log.batches.get(name, ())
    ]
    return pa.concat_tables([_KEYS.empty_table(), *tables])


def _report(gone: GonePhotos, removed: RemovedRows, paths: set[str]) -> None:
    """Log what was deleted, and warn of the rows that are kept."""
    if removed.moved:
        logger.info("photos: %d photos were moved or renamed", removed.moved)
    if removed.deleted:
        logger.info("photos: deleted %d rows of photos that are gone", removed.deleted)
    kept = [path for path in gone.photos["path"].to_pylist() if path not in paths]
    if kept:
        logger.warning(
            "Found that %d ingested photos are no longer in %s%s; their rows are kept and "
            "used by all stages. Restore the photos, or delete the rows with --params "
            "ingest.gone=delete",
            len(kept),
            gone.photo_root,
            examples(kept),
        )
