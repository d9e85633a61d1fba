"""Choose the photos that are compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.models.neighbours import unit_vectors
from fruits_pipeline.spark.frames import record_batches
from fruits_pipeline.spark.sampling import sample_photos
from fruits_pipeline.spark.vectors import to_matrix


def sample_vectors(
    reduced: DataFrame, photos: int, count: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the keys and unit vectors of up to `count` photos, in random order.

    The order is that of `photo_id`, which is a digest.

    Args:
        reduced: The table `reduced`.
        photos: Number of its rows.
        count: Maximum number of photos.
    """
    reduced = sample_photos(reduced, photos, count) if count else reduced
    rows = _complete([])
    batches = []
    for batch in record_batches(reduced) if count else ():
        batches.append(batch.select(rows.column_names))
        if sum(map(len, batches)) > count:
            batches = _smallest(_complete(batches), count).to_batches()
    rows = _smallest(_complete(batches), count)
    vectors = unit_vectors(to_matrix(rows["components"].combine_chunks()))
    return rows.drop_columns(["components"]).to_pandas(), vectors


def _complete(batches: Sequence[pa.RecordBatch]) -> pa.Table:
    table = pa.Table.from_batches(batches) if batches else schemas.REDUCED.empty_table()
    return table.cast(schemas.REDUCED)


def _smallest(rows: pa.Table, count: int) -> pa.Table:
    keys = [("photo_id", "ascending"), ("path", "ascending")]
    return rows.take(pc.select_k_unstable(rows, min(count, len(rows)), keys))
