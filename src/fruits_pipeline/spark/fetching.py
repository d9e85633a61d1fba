"""Read photos in Spark's Python workers."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Sequence

import pyarrow as pa
from pyspark.taskcontext import TaskContext

from fruits_pipeline import schemas
from fruits_pipeline.io.files import FileContent, read_files
from fruits_pipeline.io.listing import ListedFile, PathLabels, parse_path
from fruits_pipeline.io.read_errors import read_error_reason
from fruits_pipeline.spark.parts import Rows

MAX_PHOTO_BYTES = 2**28
"""Size above which a photo is not read, because workers have little memory."""


def fetch(
    rows: Rows, rules: Sequence[re.Pattern[str]], requests_in_flight: int
) -> Rows:
    """Read photos: `LISTING` rows to `FETCHED` rows, with one GET per photo.

    Requests are repeated after faults of the store. A photo that cannot be read has a row with an `error`, and no `photo_id` and `content`.

    Args:
        rows: Record batches; all rows of a batch have the same `root`.
        rules: Expressions with the named groups `label`, `split` and `series`.
        requests_in_flight: Maximum number of concurrent requests to a remote store.

    Raises:
        FruitsError: The store does not respond, or rejects the credentials.
    """
    for batch in rows:
        results: list[FileContent] = []
        errors: list[str | None] = []
        if len(batch):
            root = batch["root"][0].as_py()
            results = _read_photos(root, batch, requests_in_flight)
            errors = [
                read_error_reason(root, content)
                if isinstance(content, OSError)
                else None
                for content, *_ in results
            ]
        yield _make_photos(batch, results, errors, rules)


def _read_photos(
    root: str, listing: pa.RecordBatch, requests_in_flight: int
) -> list[FileContent]:
    """Return the content of each photo, or the error of reading it."""
    columns = [listing[name].to_pylist() for name in ListedFile._fields]
    files = [ListedFile(*row) for row in zip(*columns, strict=True)]
    small = [file for file in files if file.size_bytes <= MAX_PHOTO_BYTES]
    contents = iter(read_files(root, small, requests_in_flight, _is_repeated()))
    too_large = FileContent(OSError(errno.EFBIG, os.strerror(errno.EFBIG)))
    return [
        next(contents) if file.size_bytes <= MAX_PHOTO_BYTES else too_large
        for file in files
    ]


def _is_repeated() -> bool:
    """Return whether an earlier attempt of the current Spark task has failed."""
    context = TaskContext.get()
    return context is not None and context.attemptNumber() > 0


def _make_photos(
    listing: pa.RecordBatch,
    results: Sequence[FileContent],
    errors: Sequence[str | None],
    rules: Sequence[re.Pattern[str]],
) -> pa.RecordBatch:
    parsed = [parse_path(path, rules) for path in listing["path"].to_pylist()]
    contents = [c if isinstance(c, bytes) else None for c, *_ in results]
    digests = [None if c is None else hashlib.sha256(c).hexdigest() for c in contents]
    columns = {name: listing[name] for name in listing.schema.names}
    for name in PathLabels._fields:
        values = [getattr(labels, name) for labels in parsed]
        columns[name] = pa.array(values, pa.string())
    columns["photo_id"] = pa.array(digests, pa.string())
    columns["error"] = pa.array(errors, pa.string())
    columns["content"] = pa.array(contents, pa.binary())
    columns["retries"] = pa.array([r.retries for r in results], pa.int64())
    if any(r.etag for r in results):  # that of the content, if it changed since
        pairs = zip(results, listing["etag"].to_pylist(), strict=True)
        etags = [result.etag or etag for result, etag in pairs]
        columns["etag"] = pa.array(etags, pa.string())
    return pa.record_batch([columns[n] for n in schemas.FETCHED.names], schemas.FETCHED)
