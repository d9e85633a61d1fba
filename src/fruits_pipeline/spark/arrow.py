"""Functions of record batches that run in Spark's Python workers.

They apply the libraries (`io`, `imaging`, `models`) to columns. This module imports
neither Spark nor Kedro, which keeps workers small.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.canonical import canonicalise
from fruits_pipeline.imaging.fitting import Fit, fit
from fruits_pipeline.io.files import read_files
from fruits_pipeline.io.listing import PathLabels, parse_path
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.moments import Moments, merge_all, moments_of, pack, unpack
from fruits_pipeline.models.pca import Pca
from fruits_pipeline.spark.keys import key_digest, photo_keys
from fruits_pipeline.spark.parts import Rows
from fruits_pipeline.spark.vectors import to_list_array, to_matrix

MOMENTS_CHUNK = 2048
"""Minimum number of vectors per matrix product: 20 MB in float64 at 1,300 values each."""


def fetch(
    rows: Rows, rules: Sequence[re.Pattern[str]], requests_in_flight: int
) -> Rows:
    """Read photos: `LISTING` rows to `PHOTOS` rows, with one GET per photo.

    Photos that no longer exist are skipped.

    Args:
        rows: Record batches; all rows of a batch have the same `root`.
        rules: Expressions with the named groups `label`, `split` and `series`.
        requests_in_flight: Maximum number of concurrent requests to a remote store.

    Raises:
        FruitsError: A photo exists but cannot be read.
    """
    for batch in rows:
        contents: list[bytes | None] = []
        paths = batch["path"].to_pylist()
        if paths:
            root = batch["root"][0].as_py()
            results = read_files(root, paths, requests_in_flight)
            contents = [
                _content_or_none(p, r) for p, r in zip(paths, results, strict=True)
            ]
        yield _make_photos(batch, contents, rules)


def _content_or_none(path: str, result: bytes | OSError) -> bytes | None:
    """Return the content of a photo; None if it does not exist."""
    if isinstance(result, FileNotFoundError):
        return None
    if isinstance(result, OSError):
        raise FruitsError(
            f"Found a photo that cannot be read: {path} ({result}). Expected permission "
            "to read every photo in `photos`: grant it, or move the photo away."
        ) from result
    return result


def _make_photos(
    listing: pa.RecordBatch,
    contents: Sequence[bytes | None],
    rules: Sequence[re.Pattern[str]],
) -> pa.RecordBatch:
    parsed = [parse_path(path, rules) for path in listing["path"].to_pylist()]
    digests = [None if c is None else hashlib.sha256(c).hexdigest() for c in contents]
    columns = {name: listing[name] for name in listing.schema.names}
    for name in PathLabels._fields:
        values = [getattr(labels, name) for labels in parsed]
        columns[name] = pa.array(values, pa.string())
    columns["photo_id"] = pa.array(digests, pa.string())
    columns["content"] = pa.array(contents, pa.binary())
    batch = pa.record_batch([columns[n] for n in schemas.PHOTOS.names], schemas.PHOTOS)
    return batch.filter(batch["content"].is_valid())


def make_canonical(rows: Rows, short_side: int, max_pixels: int) -> Rows:
    """Convert photos to canonical form: `PHOTOS` rows to `IMAGES` rows.

    A rejected photo has a row with an `error` and no `image`.

    Args:
        rows: Rows with the column `content`.
        short_side: Maximum length of the shorter side, in pixels.
        max_pixels: Number of pixels above which a photo is rejected.
    """
    for batch in rows:
        photos = [
            canonicalise(content.as_py(), short_side, max_pixels)
            for content in batch["content"]
        ]
        columns = [
            pa.array([getattr(photo, field.name) for photo in photos], field.type)
            for field in schemas.IMAGES
            if field not in schemas.KEY
        ]
        yield _with_key(batch, columns, schemas.IMAGES)


def embed(rows: Rows, backbone: Any, fit_mode: Fit) -> Rows:
    """Compute features: `IMAGES` rows without an error to `FEATURES` rows.

    Args:
        rows: Rows with the columns `image` and `error`.
        backbone: Spark broadcast variable of a `Backbone`.
        fit_mode: How photos are fitted to the square input of the backbone.
    """
    model: Backbone = backbone.value
    size = model.card.input_size
    for batch in rows:
        valid = batch.filter(batch["error"].is_null())
        photos = (fit(image.as_py(), size, fit_mode) for image in valid["image"])
        features = np.array([*model.embed(photos)], np.float32)
        yield _with_key(valid, [to_list_array(features)], schemas.FEATURES)


def compute_moments(rows: Rows) -> Rows:
    """Compute moments: all `FEATURES` rows to one `MOMENTS` row."""
    keys: list[tuple[str, str]] = []  # complete when all chunks are read
    chunks = _join(_collect_keys(rows, keys), MOMENTS_CHUNK)
    moments = merge_all(moments_of(to_matrix(chunk)) for chunk in chunks)
    columns = [
        pa.array([moments.n]),
        pa.array([moments.mean]),
        pa.array([pack(moments)]),
        pa.array([key_digest(keys)]),
    ]
    yield pa.record_batch(columns, schema=schemas.MOMENTS)


def _collect_keys(rows: Rows, keys: list[tuple[str, str]]) -> Rows:
    """Yield the batches unchanged, and append the keys of their rows to `keys`."""
    for batch in rows:
        keys.extend(photo_keys(batch))
        yield batch


def _join(rows: Rows, min_length: int) -> Iterator[pa.ListArray]:
    """Join the `features` of batches to arrays of at least `min_length`, except the last."""
    arrays: list[pa.ListArray] = []
    for batch in rows:
        arrays.append(batch["features"])
        if sum(map(len, arrays)) >= min_length:
            yield pa.concat_arrays(arrays)
            arrays = []
    if arrays:
        yield pa.concat_arrays(arrays)


def unpack_moments(rows: pa.RecordBatch) -> Iterator[Moments]:
    """Yield the moments in `MOMENTS` rows."""
    for i in range(len(rows)):
        mean = to_matrix(rows["mean"].slice(i, 1))[0]
        triangle = to_matrix(rows["comoment"].slice(i, 1))[0]
        yield unpack(rows["n"][i].as_py(), mean, triangle)


def project(rows: Rows, pca: Any) -> Rows:
    """Project features onto principal components: `FEATURES` rows to `REDUCED` rows.

    Args:
        rows: Rows with the column `features`.
        pca: Spark broadcast variable of a `Pca`.

    Raises:
        ValueError: The PCA was fitted to features of another width.
    """
    model: Pca = pca.value
    for batch in rows:
        features = to_matrix(batch["features"]).reshape(len(batch), len(model.mean))
        components = model.transform(features)
        yield _with_key(batch, [to_list_array(components)], schemas.REDUCED)


def _with_key(
    batch: pa.RecordBatch, columns: list[pa.Array], schema: pa.Schema
) -> pa.RecordBatch:
    """Return the key columns of `batch`, followed by other columns of `schema`."""
    key = [batch[field.name] for field in schemas.KEY]
    return pa.record_batch([*key, *columns], schema=schema)
