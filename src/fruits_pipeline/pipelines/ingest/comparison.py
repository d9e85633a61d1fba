"""Compare the listing with the table `photos`, range by range of paths.

Both are sorted by path, so that only the rows of one range are in memory; see
`io.sorted_runs`. Up to 50,000 photos are one range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline import schemas
from fruits_pipeline.datasets import ExistingPhotos, Listing
from fruits_pipeline.datasets.delta.photo_hashes import PhotoHashes
from fruits_pipeline.datasets.photo_listing import work_folder
from fruits_pipeline.io.exclusions import select_rows
from fruits_pipeline.io.label_check import PathBlocks
from fruits_pipeline.io.left_out import ARCHIVED, LeftOut
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.io.row_file import RowFile
from fruits_pipeline.io.sorted_runs import RUN_ROWS, find_bounds
from fruits_pipeline.parameters import IngestParameters

_FILE = pa.schema([schemas.LISTED.field(name) for name in ListedFile._fields])


@dataclass
class Differences:
    """Differences between the listing and the table `photos`.

    Attributes:
        new: Files of new and changed photos, sorted by path; a chunk is a batch.
        gone: `INGESTED` rows of photos that are not listed, sorted by path.
        paths: Some paths of photos, for the check of labels.
        listed: Hashes of the ingested photos that are listed.
        left_out: Files that are no photos, or are left out for other reasons.
        photos: Number of listed photos.
        unlisted: Number of ingested photos that are newer than the listing, which is not
            current. They are among `photos`.
    """

    new: RowFile
    gone: RowFile
    paths: PathBlocks
    listed: PhotoHashes = field(default_factory=PhotoHashes)
    left_out: LeftOut = field(default_factory=LeftOut)
    photos: int = 0
    unlisted: int = 0


def compare(
    listing: Listing, existing: ExistingPhotos, parameters: IngestParameters
) -> Differences:
    """Find new, changed and gone photos.

    A photo has changed if its size or ETag differs, or without ETags, its time. An
    archived photo is left out, unless it was ingested before. If it has changed since,
    its row is kept until it can be read.

    Args:
        listing: The files below the photo root.
        existing: Content of the table `photos` before the run.
        parameters: Parameters of the stage.
    """
    found = Differences(
        RowFile(_FILE, work_folder(), parameters.photos_per_batch),
        RowFile(schemas.INGESTED, work_folder(), RUN_ROWS),
        PathBlocks(len(listing.files)),
    )
    found.left_out.merge(listing.left_out)
    runs = listing.files.runs, existing.runs
    bounds = find_bounds(*runs)
    for files, ingested in zip(*(r.ranges(bounds) for r in runs), strict=True):
        _compare_range(listing, files, ingested, parameters.extensions, found)
    found.new.close()
    found.gone.close()
    return found


def _compare_range(
    listing: Listing,
    files: pa.Table,
    ingested: pa.Table,
    extensions: Sequence[str],
    found: Differences,
) -> None:
    allowed = listing.without_excluded(files, found.left_out)
    photos = select_rows(allowed, extensions, found.left_out)
    is_read, is_new = _find_changes(photos, ingested)
    is_waiting = pc.and_(photos["archived"], is_new)
    is_archived = pc.and_not(is_waiting, is_read)
    for path in photos["path"].filter(is_archived).to_pylist():
        found.left_out.add(path, ARCHIVED)
    found.new.add(photos.filter(pc.and_not(is_new, is_waiting)))
    paths = photos["path"].filter(pc.invert(is_archived))
    found.paths.add(paths)
    found.photos += len(paths)
    is_listed = pc.is_in(ingested["path"], paths.combine_chunks())
    if listing.complete_until:
        is_newer = pc.greater_equal(ingested["modified_at"], listing.complete_until)
        unlisted = pc.sum(pc.and_not(is_newer, is_listed)).as_py() or 0
        found.unlisted += unlisted
        found.photos += unlisted
        is_listed = pc.or_(is_listed, is_newer)
    found.gone.add(ingested.filter(pc.invert(is_listed)))
    listed = ingested.filter(is_listed)
    found.listed.add(listed["batch"], listed["id_hash"].to_numpy())


def find_changed(files: pa.Table, ingested: pa.Table) -> pa.Table:
    """Return the files that are not ingested yet, or changed since.

    Args:
        files: `LISTED` rows of a range of paths.
        ingested: `INGESTED` rows of the same range.
    """
    return files.filter(_find_changes(files, ingested)[1])


def _find_changes(
    files: pa.Table, ingested: pa.Table
) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return which files were read before, and which are new, changed or were not read."""
    positions = pc.index_in(files["path"], ingested["path"].combine_chunks())
    before = ingested.take(positions)
    is_read = _known(pc.not_equal(before["id_hash"], pa.scalar(0, pa.uint64())))
    has_etags = pc.and_(_has_text(files["etag"]), _has_text(before["etag"]))
    is_other = pc.if_else(
        has_etags,
        pc.not_equal(files["etag"], before["etag"]),
        pc.not_equal(files["modified_at"], before["modified_at"]),
    )
    is_resized = pc.not_equal(files["size_bytes"], before["size_bytes"])
    is_changed = pc.or_(_known(is_resized), _known(is_other))
    return is_read, pc.or_(pc.invert(is_read), is_changed)


def _has_text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return _known(pc.greater(pc.binary_length(values), 0))


def _known(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(values, False)
