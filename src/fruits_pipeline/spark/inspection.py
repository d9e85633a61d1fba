"""Inspect the data files of a table in Spark's Python workers.

This module does not import Spark.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline import schemas
from fruits_pipeline.spark.keys import key_digest, path_hashes, photo_keys
from fruits_pipeline.spark.parquet import READ_ERRORS, read_stored
from fruits_pipeline.spark.parts import Rows
from fruits_pipeline.spark.write_reports import (
    count_without_content,
    has_no_content,
)


@dataclass(frozen=True)
class Sample:
    """Selection of the photos whose `photo_id` is compared with their content.

    Attributes:
        share: Share of the photos of each record batch, 0 to 1; at least one photo.
        seed: Seed of the selection.
    """

    share: float
    seed: int

    def select(self, path: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the selected rows of a record batch of a file."""
        size = min(len(batch), max(1, math.ceil(self.share * len(batch))))
        generator = random.Random(f"{self.seed} {path}")  # noqa: S311 - a sample
        rows = generator.sample(range(len(batch)), size)
        return batch.take(pa.array(rows, pa.int64()))


@dataclass
class _Content:
    """Counts and digests of the rows of a file that were read so far."""

    columns: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    errors: int = 0
    photos: int = 0
    without_content: int = 0
    keys: int = 0
    valid_keys: int = 0
    paths: list[str] = field(default_factory=list)
    path_hashes: list[np.ndarray] = field(default_factory=list)
    wrong_ids: list[str] = field(default_factory=list)


def inspect(rows: Rows, folder: str, sample: Sample) -> Rows:
    """Read data files: rows with a column `path` to `INSPECTION` rows.

    Args:
        rows: Paths of the files, relative to `folder`.
        folder: Path or URL of the table.
        sample: The photos whose content is compared with `photo_id`.
    """
    for batch in rows:
        found = [_inspect_file(p, folder, sample) for p in batch["path"].to_pylist()]
        yield pa.RecordBatch.from_pylist(found, schemas.INSPECTION)


def column_types(schema: pa.Schema) -> dict[str, str]:
    """Return the type of each column by name; Parquet names the values of lists anew."""
    return {column.name: _type_name(column.type) for column in schema}


def _type_name(kind: pa.DataType) -> str:
    return f"list of {kind.value_type}" if pa.types.is_list(kind) else str(kind)


def _inspect_file(path: str, folder: str, sample: Sample) -> dict[str, Any]:
    content = _Content()
    try:
        for batch in read_stored(f"{folder}/{path}"):
            _add(content, batch)
            if "content" in batch.schema.names:
                content.wrong_ids += _wrong_ids(sample.select(path, batch))
    except READ_ERRORS as exc:
        return {"path": path, "problem": " ".join(str(exc).split())}
    counts = ("rows", "errors", "photos", "without_content")
    return {
        "path": path,
        **{name: getattr(content, name) for name in counts},
        "columns": "\n".join(f"{n}\t{kind}" for n, kind in content.columns.items()),
        "first_path": min(content.paths, default=None),
        "last_path": max(content.paths, default=None),
        "keys": f"{content.keys % 2**64:016x}",
        "valid_keys": f"{content.valid_keys % 2**64:016x}",
        "path_hashes": b"".join(part.tobytes() for part in content.path_hashes),
        "wrong_ids": content.wrong_ids,
    }


def _add(content: _Content, batch: pa.RecordBatch) -> None:
    """Add the rows of a record batch to the content of its file."""
    content.columns = column_types(batch.schema)
    content.rows += len(batch)
    if "keys" in content.columns:  # moments
        content.photos += sum(batch["n"].to_pylist())
        content.keys += sum(int(keys, 16) for keys in batch["keys"].to_pylist())
        content.valid_keys = content.keys
        return
    content.photos += len(batch)
    content.without_content += count_without_content(batch)
    valid = batch
    if "error" in content.columns:
        valid = batch.filter(batch["error"].is_null())
        content.errors += len(batch) - len(valid)
    content.keys += int(key_digest(photo_keys(batch)), 16)
    content.valid_keys += int(key_digest(photo_keys(valid)), 16)
    paths = batch["path"].to_pylist()
    content.path_hashes.append(path_hashes(paths))
    if paths:
        content.paths += [min(paths), max(paths)]


def _wrong_ids(photos: pa.RecordBatch) -> Iterator[str]:
    """Yield the paths of photos whose id is not the SHA-256 of their content.

    Without those whose content was removed.
    """
    photos = photos.filter(pc.invert(has_no_content(photos)))
    columns = (photos[name] for name in ("path", "photo_id", "content"))
    for path, photo_id, content in zip(*columns, strict=True):
        found = content.as_py()
        digest = None if found is None else hashlib.sha256(found).hexdigest()
        if digest != photo_id.as_py():
            yield str(path)
