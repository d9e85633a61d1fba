"""Functions of record batches that run in Spark's Python workers.

They apply the libraries (`io`, `imaging`, `models`) to columns. This module imports
neither Spark nor Kedro, which keeps workers small.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.canonical import (
    DECODER_FAILURE,
    CanonicalPhoto,
    canonicalise,
)
from fruits_pipeline.imaging.fitting import Fit, fit
from fruits_pipeline.imaging.limits import limit_time
from fruits_pipeline.imaging.quality import Quality, measure
from fruits_pipeline.imaging.thumbnails import thumbnail
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.moments import Moments, merge_all, moments_of, pack, unpack
from fruits_pipeline.models.pca import Pca
from fruits_pipeline.spark.keys import key_digest, photo_keys
from fruits_pipeline.spark.parts import Rows
from fruits_pipeline.spark.vectors import to_list_array, to_matrix

MOMENTS_CHUNK = 2048
"""Minimum number of vectors per matrix product: 20 MB in float64 at 1,300 values each."""


def make_canonical(rows: Rows, short_side: int, max_mib: int, seconds: float) -> Rows:
    """Convert photos to canonical form: `PHOTOS` rows to `IMAGES` rows.

    A photo that was not read or is rejected has a row with an `error` and no `image`.

    Args:
        rows: Rows with the columns `content` and `error`.
        short_side: Maximum length of the shorter side, in pixels.
        max_mib: Maximum memory for decoding a photo, in MiB.
        seconds: Maximum time for decoding a photo. A worker that takes longer is ended.
    """
    for batch in rows:
        pairs = zip(batch["content"], batch["error"], strict=True)
        photos = [
            CanonicalPhoto(error=error.as_py())
            if error.is_valid
            else canonicalise(content.as_py(), short_side, max_mib)
            for content, error in limit_time(pairs, seconds)
        ]
        columns = [
            pa.array([getattr(photo, field.name) for photo in photos], field.type)
            for field in schemas.IMAGES
            if field not in schemas.KEY
        ]
        yield _with_key(batch, columns, schemas.IMAGES)


def reject_photo(photo: pa.RecordBatch, reason: str) -> pa.RecordBatch:
    """Return the `IMAGES` row of a photo whose decoder has ended its process.

    Args:
        photo: The `PHOTOS` row.
        reason: What happened to the decoder.
    """
    values = {"error": [f"{DECODER_FAILURE} {reason}"]}
    columns = [
        pa.array(values.get(field.name, [None]), field.type)
        for field in schemas.IMAGES
        if field not in schemas.KEY
    ]
    return _with_key(photo, columns, schemas.IMAGES)


def measure_quality(rows: Rows) -> Rows:
    """Measure canonical photos: `IMAGES` rows without an error to `QUALITY` rows."""
    for batch in rows:
        valid = batch.filter(batch["error"].is_null())
        measures = [measure(image.as_py()) for image in valid["image"]]
        matrix = np.array(measures, np.float32).reshape(-1, len(Quality._fields))
        columns = [valid["width"], valid["height"], *map(pa.array, matrix.T)]
        yield _with_key(valid, columns, schemas.QUALITY)


def make_thumbnails(rows: Rows, paths: Collection[str], side: int) -> Rows:
    """Make thumbnails of some photos: `IMAGES` rows to `THUMBNAILS` rows.

    Args:
        rows: Rows with the columns `path` and `image`.
        paths: Paths of the photos.
        side: Maximum length of the longer side, in pixels.
    """
    wanted = pa.array(paths, pa.string())
    for batch in rows:
        chosen = batch.filter(pc.is_in(batch["path"], wanted))
        images = [thumbnail(image.as_py(), side) for image in chosen["image"]]
        columns = [chosen["path"], pa.array(images, pa.binary())]
        yield pa.record_batch(columns, schema=schemas.THUMBNAILS)


def embed(rows: Rows, backbone: Any, fit_mode: Fit, seconds: float) -> Rows:
    """Compute features: `IMAGES` rows without an error to `FEATURES` rows.

    Args:
        rows: Rows with the columns `image` and `error`.
        backbone: Spark broadcast variable of a `Backbone`.
        fit_mode: How photos are fitted to the square input of the backbone.
        seconds: Maximum time for a photo. A worker that takes longer is ended.
    """
    model: Backbone = backbone.value
    size = model.card.input_size
    for batch in rows:
        valid = batch.filter(batch["error"].is_null())
        images = limit_time(valid["image"], seconds)
        photos = (fit(image.as_py(), size, fit_mode) for image in images)
        features = np.array([*model.embed(photos)], np.float32)
        yield _with_key(valid, [to_list_array(features)], schemas.FEATURES)


def refuse_photo(photo: pa.RecordBatch, reason: str) -> pa.RecordBatch:
    """Raise for a photo whose features cannot be computed.

    Args:
        photo: The `IMAGES` row.
        reason: What happened to the process.

    Raises:
        FruitsError: Always.
    """
    path = photo["path"][0].as_py()
    raise FruitsError(
        f"Found that the backbone {reason} for the photo {path}; expected features of "
        "every canonical photo. Check the backbone in `backbone_folder` with other "
        f"photos; if only this one fails, erase it with `make forget ARGS={path!r}`."
    )


def compute_moments(rows: Rows) -> Rows:
    """Compute moments: all `FEATURES` rows to one `MOMENTS` row."""
    keys: list[tuple[str, str]] = []  # complete when all chunks are read
    chunks = _join(_collect_keys(rows, keys), MOMENTS_CHUNK)
    moments = merge_all(moments_of(to_matrix(chunk)) for chunk in chunks)
    yield moments_row(moments, key_digest(keys))


def merge_moments(rows: Rows) -> Rows:
    """Merge moments: all `MOMENTS` rows of several batches to one row."""
    digests: list[int] = []

    def parts() -> Iterator[Moments]:
        for batch in rows:
            digests.extend(int(keys, 16) for keys in batch["keys"].to_pylist())
            yield from unpack_moments(batch)

    moments = merge_all(parts())
    yield moments_row(moments, f"{sum(digests) % 2**64:016x}")  # as `key_digest` of all


def moments_row(moments: Moments, keys: str) -> pa.RecordBatch:
    """Return the `MOMENTS` row of moments.

    Args:
        moments: The moments.
        keys: Digest of the keys of their photos.
    """
    columns = [
        pa.array([moments.n]),
        pa.array([moments.mean]),
        pa.array([pack(moments)]),
        pa.array([keys]),
    ]
    return pa.record_batch(columns, schema=schemas.MOMENTS)


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
