"""Convert ingested photos to canonical photos, or to rows with an error."""

from __future__ import annotations

from functools import partial

from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.parameters import PreprocessParameters
from fruits_pipeline.spark import arrow
from fruits_pipeline.spark.frames import map_arrow


def make_canonical(photos: DataFrame, parameters: PreprocessParameters) -> DataFrame:
    """Decode photos and convert them to canonical form.

    Returns:
        One `IMAGES` row per photo. Rejected photos have an `error` and no `image`.
    """
    step = partial(
        arrow.make_canonical,
        short_side=parameters.short_side,
        max_mib=parameters.decode_memory_mib,
    )
    return map_arrow(photos, step, schemas.IMAGES)
