"""Read photos in Spark's Python workers. This module does not import Spark."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline import schemas
from fruits_pipeline.io.files import read_files
from fruits_pipeline.io.listing import PathLabels, parse_path
from fruits_pipeline.io.read_errors import read_error_reason
from fruits_pipeline.spark.parts import Rows

MAX_PHOTO_BYTES = 2**28
"""Size above which a photo is not read, because workers have little memory."""


def fetch(
    rows: Rows, rules: Sequence[re.Pattern[str]], requests_in_flight: int
) -> Rows:
    """Read photos: `LISTING` rows to `PHOTOS` rows, with one GET per photo.

    A photo that cannot be read has a row with an `error`, and no `photo_id` and `content`.

    Args:
        rows: Record batches; all rows of a batch have the same `root`.
        rules: Expressions with the named groups `label`, `split` and `series`.
        requests_in_flight: Maximum number of concurrent requests to a remote store.

    Raises:
        FruitsError: The store does not respond, or rejects the credentials.
    """
    for batch in rows:
        results: list[bytes | OSError] = []
        errors: list[str | None] = []
        if len(batch):
            root = batch["root"][0].as_py()
            results = _read_photos(root, batch, requests_in_flight)
            errors = [
                read_error_reason(root, result) if isinstance(result, OSError) else None
                for result in results
            ]
        yield _make_photos(batch, results, errors, rules)


def _read_photos(
    root: str, listing: pa.RecordBatch, requests_in_flight: int
) -> list[bytes | OSError]:
    """Return the content of each photo, or the error of reading it."""
    is_small = pc.less_equal(listing["size_bytes"], MAX_PHOTO_BYTES)
    paths = listing["path"].filter(is_small).to_pylist()
    contents = iter(read_files(root, paths, requests_in_flight))
    too_large = OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return [next(contents) if small else too_large for small in is_small.to_pylist()]


def _make_photos(
    listing: pa.RecordBatch,
    results: Sequence[bytes | OSError],
    errors: Sequence[str | None],
    rules: Sequence[re.Pattern[str]],
) -> pa.RecordBatch:
    parsed = [parse_path(path, rules) for path in listing["path"].to_pylist()]
    contents = [r if isinstance(r, bytes) else None for r in results]
    digests = [None if c is None else hashlib.sha256(c).hexdigest() for c in contents]
    columns = {name: listing[name] for name in listing.schema.names}
    for name in PathLabels._fields:
        values = [getattr(labels, name) for labels in parsed]
        columns[name] = pa.array(values, pa.string())
    columns["photo_id"] = pa.array(digests, pa.string())
    columns["error"] = pa.array(errors, pa.string())
    columns["content"] = pa.array(contents, pa.binary())
    return pa.record_batch([columns[n] for n in schemas.PHOTOS.names], schemas.PHOTOS)
