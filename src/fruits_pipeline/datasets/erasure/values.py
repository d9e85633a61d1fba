"""The bytes and vectors of photos in the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline.datasets.delta.batches import DeltaBatches
from fruits_pipeline.datasets.delta.tables import open_log
from fruits_pipeline.io.traces import Traces
from fruits_pipeline.spark.parquet import read_rows

_COLUMNS = {
    "photos": "content",
    "images": "image",
    "features": "features",
    "reduced": "components",
}
"""Column of the bytes or vector of a photo; the table `quality` has none."""


def read_values(rows: pa.RecordBatch, table: str) -> Iterator[tuple[str, bytes]]:
    """Yield the `photo_id` and the value of each row that has one; vectors as float32."""
    if table not in _COLUMNS:
        return
    rows = rows.filter(pc.is_valid(rows[_COLUMNS[table]]))
    ids = rows["photo_id"].to_pylist()
    for photo_id, value in zip(ids, rows[_COLUMNS[table]], strict=True):
        if isinstance(value, pa.ListScalar):
            vector = value.values.to_numpy(zero_copy_only=False)
            yield photo_id, vector.astype(np.float32).tobytes()
        else:
            yield photo_id, value.as_py()


def discard_shared(tables: Mapping[str, DeltaBatches], traces: Traces) -> int:
    """Remove the values from the traces that photos have which are not erased.

    Photos with other bytes can have equal pixels, for example without metadata. Then their
    canonical photos and vectors are equal.

    Returns:
        Number of removed values.

    Raises:
        FruitsError: A file of a table is missing or damaged.
    """
    before = len(traces.values)
    for name in ("images", "features", "reduced"):
        log = open_log(tables[name].filepath)
        files = [f"{log.location}/{file.path}" for file in log.files] if log else []
        for path in files:
            for rows in read_rows(path, tables[name].schema):
                for photo_id, value in read_values(rows, name):
                    if value in traces.values and not traces.is_id(photo_id):
                        traces.values.discard(value)
    return before - len(traces.values)
