"""Functions on Arrow batches, which Spark's workers run.

They apply the plain modules to columns. They import neither Spark nor Kedro, which keeps
a worker small.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.photos import Fit, canonicalise, fit
from fruits_pipeline.io.files import read_files
from fruits_pipeline.io.listing import Origin, origin
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.moments import Moments, merge_all, moments_of, pack, unpack
from fruits_pipeline.models.pca import Pca
from fruits_pipeline.spark.parts import Rows, key_digest, keys_of

MEASURED_ROWS = 2048
"""Vectors measured at once: 20 MB of some 1,300 float64."""


def fetch(
    rows: Rows, rules: Sequence[re.Pattern[str]], requests_in_flight: int
) -> Rows:
    """Read photos: `LISTING` rows in, `PHOTOS` rows out, one GET per photo.

    Photos that vanished after they were listed are left out.

    Args:
        rows: Rows of the listing.
        rules: Expressions with the named groups `label`, `split` and `film`.
        requests_in_flight: Concurrent requests to a remote store.

    Raises:
        FruitsError: A photo exists but cannot be read.
    """
    for batch in rows:
        contents: list[bytes | None] = []
        paths = batch["path"].to_pylist()
        if paths:  # a batch lists one store
            root = batch["root"][0].as_py()
            found = read_files(root, paths, requests_in_flight)
            contents = [_content(*pair) for pair in zip(paths, found, strict=True)]
        yield _photos(batch, contents, rules)


def _content(path: str, found: bytes | OSError) -> bytes | None:
    if isinstance(found, FileNotFoundError):
        return None
    if isinstance(found, OSError):
        raise FruitsError(
            f"Found a photo that cannot be read: {path} ({found}). Expected permission "
            "to read every photo under `photos`: grant it, or move the photo away."
        ) from found
    return found


def _photos(
    listing: pa.RecordBatch,
    contents: Sequence[bytes | None],
    rules: Sequence[re.Pattern[str]],
) -> pa.RecordBatch:
    origins = [origin(path, rules) for path in listing["path"].to_pylist()]
    digests = [None if c is None else hashlib.sha256(c).hexdigest() for c in contents]
    columns = {name: listing[name] for name in listing.schema.names}
    for name in Origin._fields:
        columns[name] = pa.array([getattr(o, name) for o in origins], pa.string())
    columns["photo_id"] = pa.array(digests, pa.string())
    columns["content"] = pa.array(contents, pa.binary())
    batch = pa.record_batch([columns[n] for n in schemas.PHOTOS.names], schemas.PHOTOS)
    return batch.filter(batch["content"].is_valid())


def make_canonical(rows: Rows, short_side: int, max_pixels: int) -> Rows:
    """Make photos canonical: `PHOTOS` rows in, `IMAGES` rows out, errors among them."""
    for batch in rows:
        made = [
            canonicalise(content.as_py(), short_side, max_pixels)
            for content in batch["content"]
        ]
        columns = [
            pa.array([getattr(one, field.name) for one in made], field.type)
            for field in schemas.IMAGES
            if field not in schemas.KEY
        ]
        yield _keyed(batch, columns, schemas.IMAGES)


def embed(rows: Rows, backbone: Any, how: Fit) -> Rows:
    """Embed canonical photos: `IMAGES` rows in, `FEATURES` rows out.

    Rows with an `error` are left out.

    Args:
        rows: Rows with the columns `image` and `error`.
        backbone: Spark broadcast variable of a `Backbone`.
        how: How a photo that is not square meets the square input.
    """
    model: Backbone = backbone.value
    size = model.card.input_size
    for every in rows:
        batch = every.filter(every["error"].is_null())
        photos = (fit(image.as_py(), size, how) for image in batch["image"])
        features = np.array([*model.embed(photos)], np.float32)
        yield _keyed(batch, [_lists(features)], schemas.FEATURES)


def measure(rows: Rows) -> Rows:
    """Reduce all rows to one: `FEATURES` rows in, one `MOMENTS` row out."""
    keys: list[tuple[str, str]] = []
    chunks = _chunks(_noting_keys(rows, keys), MEASURED_ROWS)
    moments = merge_all(moments_of(vectors(chunk)) for chunk in chunks)
    yield pa.record_batch(
        [
            pa.array([moments.n]),
            pa.array([moments.mean]),
            pa.array([pack(moments)]),
            pa.array([key_digest(keys)]),
        ],
        schema=schemas.MOMENTS,
    )


def _noting_keys(rows: Rows, keys: list[tuple[str, str]]) -> Rows:
    for batch in rows:
        keys.extend(keys_of(batch))
        yield batch


def moments_in(rows: pa.RecordBatch) -> Iterator[Moments]:
    """Yield the moments in `MOMENTS` rows."""
    for i in range(len(rows)):
        mean, triangle = (vectors(rows[n].slice(i, 1))[0] for n in ("mean", "comoment"))
        yield unpack(rows["n"][i].as_py(), mean, triangle)


def _chunks(rows: Rows, least: int) -> Iterator[pa.ListArray]:
    """Join the features of batches until they are enough for a matrix product to pay."""
    found: list[pa.ListArray] = []
    for batch in rows:
        found.append(batch["features"])
        if sum(map(len, found)) >= least:
            yield pa.concat_arrays(found)
            found = []
    if found:
        yield pa.concat_arrays(found)


def project(rows: Rows, pca: Any) -> Rows:
    """Reduce features to components: `FEATURES` rows in, `REDUCED` rows out.

    Args:
        rows: With the column `features`.
        pca: Spark's broadcast of a `Pca`.
    """
    model: Pca = pca.value
    for batch in rows:
        features = vectors(batch["features"]).reshape(len(batch), len(model.mean))
        components = model.transform(features)
        yield _keyed(batch, [_lists(components)], schemas.REDUCED)


def without(rows: Rows, paths: pa.Array) -> Rows:
    """Leave out the rows whose `path` is in `paths`."""
    for batch in rows:
        yield batch.filter(pc.invert(pc.is_in(batch["path"], paths)))


def vectors(column: pa.ListArray) -> np.ndarray:
    """Return a column of lists of one length as an array, `[n, d]`."""
    flat: np.ndarray = column.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(column), -1) if len(column) else flat.reshape(0, 0)


def _lists(values: np.ndarray) -> pa.ListArray:
    n, width = values.shape if values.ndim == 2 else (0, 0)  # noqa: PLR2004
    offsets = np.arange(n + 1, dtype=np.int32) * width
    return pa.ListArray.from_arrays(offsets, values.reshape(-1))


def _keyed(
    batch: pa.RecordBatch, columns: list[pa.Array], schema: pa.Schema
) -> pa.RecordBatch:
    key = [batch[field.name] for field in schemas.KEY]
    return pa.record_batch([*key, *columns], schema=schema)
