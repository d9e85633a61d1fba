"""Save the missing batches of a table, and delete rows that do not exist upstream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from fruits_pipeline.datasets.delta.compaction import (
    combine_batches,
    find_combined_upstream,
)
from fruits_pipeline.datasets.delta.comparison import UpstreamDifference
from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.gone import RemovedRows
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.photo_hashes import Hashes, PhotoHashes, hash_ids
from fruits_pipeline.datasets.delta.reuse import find_sources, read_hashes, reuse_rows
from fruits_pipeline.datasets.delta.saving import (
    commit_photos,
    delete_extra_rows,
    select_readable,
)
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.datasets.delta.written_batches import write_batch
from fruits_pipeline.spark.batches import Batches
from fruits_pipeline.spark.jobs import write_concurrently
from fruits_pipeline.spark.progress import track


@dataclass
class SavedRows:
    """Rows that a run has saved in a table.

    Attributes:
        batches: Names of the batches that the run has written, sorted.
        photos: Number of photos in these batches.
        retries: Number of repeated requests for these photos, if the table is `photos`.
        removed: Number of rows of gone photos that the run has removed from `photos`.
        listed: Hashes of the photos in `photos` that exist; without batches that nobody
            has read.
    """

    batches: tuple[str, ...] = ()
    photos: int = 0
    retries: int = 0
    removed: RemovedRows = field(default_factory=RemovedRows)
    listed: PhotoHashes = field(default_factory=PhotoHashes)

    def add(self, name: str, files: Sequence[DataFile]) -> int:
        """Add a batch, and return the number of its photos."""
        photos = sum(file.photos for file in files)
        self.batches = tuple(sorted((*self.batches, name)))
        self.photos += photos
        self.retries += sum(file.retries for file in files)
        return photos


@dataclass(frozen=True)
class BatchSaver:
    """Saves batches of a table.

    Attributes:
        table: Name of the table.
        schema: Schema of the data files.
        writer: Writer of the table.
        upstream: The upstream table; None if there is none.
        saved: Rows that were saved; updated after each commit.
    """

    table: str
    schema: pa.Schema
    writer: TableWriter
    upstream: DeltaLog | None
    saved: SavedRows

    def follow_upstream(self) -> None:
        """Combine the batches that are combined upstream, as an interrupted tidy has."""
        if self.upstream is not None:
            groups = find_combined_upstream(self.writer.log, self.upstream)
            combine_batches(self.writer, groups, self.schema)

    def delete_extra_rows(self) -> UpstreamDifference:
        """Delete the rows that do not exist upstream; return the differences."""
        if self.upstream is None:
            return UpstreamDifference()
        return delete_extra_rows(self.writer, self.upstream, self.schema)

    def reuse(
        self, missing: Batches, deleted: UpstreamDifference, listed: PhotoHashes
    ) -> Batches:
        """Return missing batches that copy the rows of known photos.

        Args:
            missing: Batches to write.
            deleted: Result of `delete_extra_rows`; deleted rows can be copied.
            listed: Hashes of the photos in `photos`.
        """
        if self.upstream is None or not missing:
            return missing
        upstream = self.upstream

        def read(name: str) -> Hashes:
            known = listed.of_batch(name)
            if known is None:
                return read_hashes(upstream, upstream.batches[name])
            return known

        sources = find_sources(self.writer.log, deleted, listed, missing)
        return reuse_rows(missing, sources, read, self.schema)

    def write(self, missing: Batches) -> None:
        """Write and commit batches, several at a time."""
        write = partial(write_batch, self.writer.log.location, self.schema)
        with track(self.table, len(missing)) as advance:
            written = write_concurrently(write, missing)
            if self.table == "photos":
                written = select_readable(self.writer, written)
            for name, files in written:
                self._commit(name, files)
                advance(self.saved.add(name, files))

    def _commit(self, name: str, files: Sequence[DataFile]) -> None:
        if self.upstream:
            replaced = self.writer.log.batches.get(name, ())
            self.writer.commit(files, replaced, upstream=self.upstream.version_id)
            return
        new_ids = commit_photos(self.writer, files, self.schema)
        if new_ids is not None:
            self.saved.listed.add_batch(name, hash_ids(new_ids))
