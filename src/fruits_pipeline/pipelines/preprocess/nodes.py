"""Convert ingested photos to canonical photos, or to rows with an error; list rejects."""

from __future__ import annotations

from functools import partial

import pandas as pd
from matplotlib.figure import Figure
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fruits_pipeline import schemas
from fruits_pipeline.imaging.isolation import Limits
from fruits_pipeline.parameters import PreprocessParameters, ReportParameters
from fruits_pipeline.reporting import contact_sheets
from fruits_pipeline.spark import arrow
from fruits_pipeline.spark.columns import add_binary_column
from fruits_pipeline.spark.frames import map_arrow
from fruits_pipeline.spark.parts import PhotoStep


def make_canonical(photos: DataFrame, parameters: PreprocessParameters) -> DataFrame:
    """Decode photos and convert them to canonical form.

    Returns:
        One `IMAGES` row per photo. Rejected photos have an `error` and no `image`.
    """
    limit = Limits(parameters.seconds_per_photo, parameters.decode_memory_mib)
    function = partial(
        arrow.make_canonical,
        short_side=parameters.short_side,
        max_mib=limit.memory_mib,
        seconds=limit.seconds,
    )
    step = PhotoStep(function, arrow.reject_photo, limit)
    return map_arrow(photos, step, schemas.IMAGES)


def measure_quality(images: DataFrame) -> DataFrame:
    """Measure brightness, contrast, sharpness and saturation of canonical photos.

    Returns:
        `QUALITY` rows; none for rejected photos.
    """
    return map_arrow(images, arrow.measure_quality, schemas.QUALITY)


def list_rejects(images: DataFrame) -> pd.DataFrame:
    """Return path, label, split, rejecting stage and error of the rejected photos."""
    # A photo that ingest could not read has no id.
    stage = F.when(F.isnull("photo_id"), "ingest").otherwise("preprocess")
    rejects = images.where("error is not null").withColumn("stage", stage)
    found = rejects.select("path", "label", "split", "stage", "error").toPandas()
    return found.sort_values("path", ignore_index=True)


def draw_reject_sheet(
    photos: DataFrame,
    images: DataFrame,
    image_counts: pd.DataFrame,
    parameters: ReportParameters,
    decode_memory_mib: int,
) -> Figure:
    """Draw up to `rejects_shown` rejected photos with their errors."""
    rejects = images.where("error is not null").select("path", "batch", "error")
    shown = rejects.orderBy("path").limit(parameters.rejects_shown).toPandas()
    found = add_binary_column(photos, shown, "content")
    rejected, total = image_counts["rejected"].sum(), image_counts["photos"].sum()
    return contact_sheets.reject_sheet(
        found, int(rejected), int(total), decode_memory_mib
    )
