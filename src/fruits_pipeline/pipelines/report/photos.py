"""Report on the quality of photos, their coverage of labels, and new batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import pandas as pd
import pyarrow as pa
from PIL import Image
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.imaging.thumbnails import THUMBNAIL_SIDE
from fruits_pipeline.models.moment_tree import MomentTree
from fruits_pipeline.parameters import ReportParameters
from fruits_pipeline.reporting import coverage, examples, image_quality
from fruits_pipeline.reporting.atlas_picture import atlas_picture
from fruits_pipeline.spark import arrow
from fruits_pipeline.spark.frames import computed_by_workers, map_arrow, record_batches


@dataclass(frozen=True)
class QualityRows:
    """The rows of the table `quality`, read when they are needed, and at most once.

    Attributes:
        quality: The table.
    """

    quality: DataFrame

    @cached_property
    def rows(self) -> pd.DataFrame:
        """All rows with `add_shape`, read without Spark."""
        fields = (*schemas.QUALITY, schemas.BATCH)
        schema = pa.schema([field for field in fields if field.name != "photo_id"])
        batches = [batch.select(schema.names) for batch in record_batches(self.quality)]
        table = pa.Table.from_batches(batches) if batches else schema.empty_table()
        return image_quality.add_shape(table.to_pandas())


def read_quality(quality: DataFrame) -> QualityRows:
    """Return the rows of the table `quality`, which are not read yet."""
    return QualityRows(quality)


def find_quality_issues(
    quality: QualityRows, parameters: ReportParameters
) -> pd.DataFrame:
    """Find photos beyond the limits `report.quality`; see `image_quality.find_issues`."""
    rows, limits = quality.rows, parameters.quality.model_dump()
    issues, _ = image_quality.find_issues(rows, limits, parameters.rows_listed)
    return issues


def count_measures(
    quality: QualityRows, parameters: ReportParameters
) -> dict[str, Any]:
    """Return the number of photos and of each issue, and a histogram of each measure."""
    rows, limits = quality.rows, parameters.quality.model_dump()
    _, counts = image_quality.find_issues(rows, limits, parameters.rows_listed)
    measures = image_quality.count_measures(rows)
    return {"photos": len(rows), "issues": counts, "measures": measures}


def count_coverage(quality: QualityRows, new_batches: Sequence[str]) -> pd.DataFrame:
    """Count photos and new photos by label, split and series."""
    return coverage.count_coverage(quality.rows, new_batches)


def compare_batches(
    quality: QualityRows,
    moments: MomentTree,
    pca: FittedPca,
    new_batches: Sequence[str],
) -> dict[str, Any]:
    """Compare the photos of the last run that added photos with earlier photos."""
    batches = {"new": {*new_batches}, "earlier": {*moments.names} - {*new_batches}}
    found = {name: moments.total(names).mean for name, names in batches.items()}
    # Without a photo that was not rejected, the mean is empty.
    means = {name: mean / pca.model.scale[: len(mean)] for name, mean in found.items()}
    variance = float(pca.model.spectrum.sum())
    return coverage.compare_batches(quality.rows, means, variance, new_batches)


def make_thumbnails(
    images: DataFrame, parameters: ReportParameters, **reports: pd.DataFrame
) -> pd.DataFrame:
    """Make thumbnails of the photos that `report.html` shows, and of no others.

    Args:
        images: The table `images`.
        parameters: Parameters of the stage.
        **reports: See `examples.shown_paths`.
    """
    paths = sorted(examples.shown_paths(reports, parameters.examples_shown))
    step = partial(arrow.make_thumbnails, paths=paths, side=THUMBNAIL_SIDE)
    thumbnails = map_arrow(images, step, schemas.THUMBNAILS)
    found = computed_by_workers(thumbnails, schemas.THUMBNAILS).toPandas()
    return found.sort_values("path", ignore_index=True)


def draw_atlas(atlas: pd.DataFrame, thumbnails: pd.DataFrame) -> Image.Image:
    """Draw the photos of the atlas, framed in the colours of their labels."""
    photos = dict(zip(thumbnails["path"], thumbnails["thumbnail"], strict=True))
    return atlas_picture(atlas, photos)
