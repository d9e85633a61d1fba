"""What a worker does to rows: Arrow batches in, Arrow batches out.

They bind the plain modules to columns, and import neither Spark nor Kedro, which keeps a
worker small.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from fruits_pipeline import schemas
from fruits_pipeline.backbones import Backbone
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.files import read_files
from fruits_pipeline.listing import File, origin
from fruits_pipeline.moments import Moments, merge_all, moments_of, pack, unpack
from fruits_pipeline.parts import Rows
from fruits_pipeline.pca import Pca
from fruits_pipeline.photos import Fit, canonicalise, fit

MEASURED_ROWS = 2048
"""Vectors measured at once: 20 MB of some 1,300 float64."""


def list_files(files: Sequence[File], rules: Sequence[re.Pattern[str]]) -> Rows:
    """Say what the paths of files say of them: `LISTING` rows out.

    Args:
        files: Of one part.
        rules: Expressions with the named groups `label`, `split` and `film`.
    """
    rows = [file._asdict() | origin(file.path, rules)._asdict() for file in files]
    yield pa.RecordBatch.from_pylist(rows, schemas.LISTING)


def fetch(rows: Rows, root: str, requests_in_flight: int) -> Rows:
    """Read photos: `LISTING` rows in, `PHOTOS` rows out, one GET per photo.

    Photos that are gone since they were listed are left out.

    Args:
        rows: Of the listing.
        root: Folder or URL that paths are relative to.
        requests_in_flight: Photos asked for at the same time, where they are far away.

    Raises:
        FruitsError: A photo is there but cannot be read.
    """
    for batch in rows:
        paths = batch["path"].to_pylist()
        found = read_files(root, paths, requests_in_flight)
        contents = map(_content, paths, found)
        yield _photos(batch, [*contents])


def _content(path: str, found: bytes | OSError) -> bytes | None:
    if isinstance(found, FileNotFoundError):
        return None
    if isinstance(found, OSError):
        raise FruitsError(
            f"Found a photo that cannot be read: {path} ({found}). Expected leave to "
            "read every photo under `photos`: grant it, or move the photo away."
        ) from found
    return found


def _photos(
    listing: pa.RecordBatch, contents: Sequence[bytes | None]
) -> pa.RecordBatch:
    digests = [None if c is None else hashlib.sha256(c).hexdigest() for c in contents]
    columns = {name: listing[name] for name in listing.schema.names}
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


def readable(rows: Rows) -> Rows:
    """Leave out rows with an error: `IMAGES` rows in, `IMAGES` rows out."""
    for batch in rows:
        yield batch.filter(batch["error"].is_null())


def embed(rows: Rows, backbone: Any, how: Fit) -> Rows:
    """Embed canonical photos: `IMAGES` rows in, `FEATURES` rows out.

    Args:
        rows: With the column `image`.
        backbone: Spark's broadcast of a `Backbone`.
        how: Photos are fitted to the backbone's input.
    """
    model: Backbone = backbone.value
    size = model.card.input_size
    for batch in rows:
        photos = (fit(image.as_py(), size, how) for image in batch["image"])
        features = np.array([*model.embed(photos)], np.float32)
        yield _keyed(batch, [_lists(features)], schemas.FEATURES)


def measure(rows: Rows) -> Rows:
    """Reduce all rows to one: `FEATURES` rows in, one `MOMENTS` row out."""
    chunks = _chunks(rows, MEASURED_ROWS)
    moments = merge_all(moments_of(vectors(chunk)) for chunk in chunks)
    yield pa.record_batch(
        [
            pa.array([moments.n]),
            pa.array([moments.mean]),
            pa.array([pack(moments)]),
        ],
        schema=schemas.MOMENTS,
    )


def moments_in(row: pa.RecordBatch) -> Moments:
    """Return the moments in a `MOMENTS` row."""
    mean, triangle = (vectors(row[name])[0] for name in ("mean", "comoment"))
    return unpack(row["n"][0].as_py(), mean, triangle)


def _chunks(rows: Rows, least: int) -> Iterator[pa.ListArray]:
    """Join the features of batches until they are enough for a matrix product to pay."""
    held: list[pa.ListArray] = []
    for batch in rows:
        held.append(batch["features"])
        if sum(map(len, held)) >= least:
            yield pa.concat_arrays(held)
            held = []
    if held:
        yield pa.concat_arrays(held)


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


def first_two(rows: Rows) -> Rows:
    """Keep two components, 0 for one that there is not: `REDUCED` in, `POINTS` out."""
    for batch in rows:
        found = vectors(batch["components"])[:, :2]
        points = np.zeros((2, len(batch)), np.float32)
        points[: found.shape[1]] = found.T
        yield _keyed(batch, [*map(pa.array, points)], schemas.POINTS)


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
