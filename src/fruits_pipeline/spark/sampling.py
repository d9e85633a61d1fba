"""Random samples of photos, with photos of every label.

A table with more photos than a limit is not read by the driver. Its photos are chosen by a
hash of `photo_id` and `path`: the same photos in every run, without a shuffle or a sort.
Half of a sample is divided equally between the labels, so that rare labels stay, and half
in proportion to their number of photos.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fruits_pipeline.spark.active import spark_session
from fruits_pipeline.spark.resources import available_mib

MIN_MIB = 2048
"""Available memory below which limits are a quarter, in MiB."""

_STEPS = 1_000_000

logger = logging.getLogger(__name__)


def fit_memory(limit: int) -> int:
    """Return the maximum number of photos that the driver should hold in memory.

    Args:
        limit: The number for a machine with 2 GiB of memory or more.
    """
    return limit if available_mib() >= MIN_MIB else max(1, limit // 4)


def sample_photos(rows: DataFrame, photos: int, limit: int) -> DataFrame:
    """Return a sample of about `limit` photos; all rows if there are not more.

    Args:
        rows: Rows of a table, with the columns `photo_id`, `path` and `label`.
        photos: Number of rows, according to the log of the table.
        limit: Number of photos in the sample.
    """
    if photos <= limit:
        return rows
    counts = rows.groupBy("label").count().toPandas()
    found: dict[Any, int] = counts.set_index("label")["count"].to_dict()
    rates = sampling_rates(found, limit)
    logger.info("Reading a sample of %d of %d photos", limit, photos)
    table = pa.table(
        {
            "_label": pa.array(
                [None if pd.isna(label) else label for label in rates], pa.string()
            ),
            "_rate": pa.array([*rates.values()], pa.float64()),
        }
    )
    chosen = F.broadcast(spark_session().createDataFrame(table))
    same = rows["label"].eqNullSafe(chosen["_label"])
    return rows.join(chosen, same & (_position() < F.col("_rate"))).select(
        *rows.columns
    )


def sampling_rates(counts: Mapping[str, int], limit: int) -> dict[str, float]:
    """Return the share of the photos of each label that are in a sample.

    Args:
        counts: Number of photos of each label.
        limit: Number of photos in the sample.
    """
    floor = limit / 2 / max(1, len(counts))
    share = limit / 2 / max(1, sum(counts.values()))
    return {
        label: min(1.0, floor / count + share)
        for label, count in counts.items()
        if count
    }


def _position() -> Column:
    """Return a number from 0 to 1 for each photo, uniformly distributed."""
    digest = F.xxhash64("photo_id", "path")
    return F.pmod(digest, F.lit(_STEPS)) / F.lit(float(_STEPS))
