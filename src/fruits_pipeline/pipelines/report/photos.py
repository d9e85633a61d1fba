"""Report on the quality of photos, their coverage of labels, and new batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import pandas as pd
import pyarrow as pa
from PIL import Image
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.datasets.photo_listing import work_folder
from fruits_pipeline.imaging.thumbnails import THUMBNAIL_SIDE
from fruits_pipeline.io.row_file import RowFile
from fruits_pipeline.parameters import ReportParameters
from fruits_pipeline.reporting import coverage, examples, image_quality
from fruits_pipeline.reporting.atlas_picture import atlas_picture
from fruits_pipeline.spark import arrow
from fruits_pipeline.spark.frames import computed_by_workers, map_arrow, record_batches

CHUNK_ROWS = 16_384
"""Rows of the table `quality` in memory."""


@dataclass(frozen=True)
class QualityRows:
    """The rows of the table `quality`, read when they are needed, and at most once.

    They are copied to a temporary file, and read from it in chunks: a million rows would
    take 300 MB of memory.

    Attributes:
        quality: The table.
    """

    quality: DataFrame

    @cached_property
    def _rows(self) -> RowFile:
        """All rows, read without Spark."""
        fields = (*schemas.QUALITY, schemas.BATCH)
        schema = pa.schema([field for field in fields if field.name != "photo_id"])
        rows = RowFile(schema, work_folder(), CHUNK_ROWS)
        for batch in record_batches(self.quality):
            rows.add(pa.Table.from_batches([batch]))
        rows.close()
        return rows

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield all rows with `add_shape`, at most `CHUNK_ROWS` at a time."""
        for table in self._rows.tables():
            yield image_quality.add_shape(table.to_pandas())

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)


def read_quality(quality: DataFrame) -> QualityRows:
    """Return the rows of the table `quality`, which are not read yet."""
    return QualityRows(quality)


def find_quality_issues(
    quality: QualityRows, parameters: ReportParameters
) -> pd.DataFrame:
    """Find photos beyond the limits `report.quality`; see `image_quality.find_issues`."""
    limits, listed = parameters.quality.model_dump(), parameters.rows_listed
    issues, _ = image_quality.find_issues(quality.chunks(), limits, listed)
    return issues


def count_measures(
    quality: QualityRows, parameters: ReportParameters
) -> dict[str, Any]:
    """Return the number of photos and of each issue, and a histogram of each measure."""
    limits = parameters.quality.model_dump()
    _, counts = image_quality.find_issues(quality.chunks(), limits, listed=0)
    measures = image_quality.count_measures(quality.chunks())
    return {"photos": len(quality), "issues": counts, "measures": measures}


def count_coverage(quality: QualityRows, new_batches: Sequence[str]) -> pd.DataFrame:
    """Count photos and new photos by label, split and series."""
    return coverage.count_coverage(quality.chunks(), new_batches)


def compare_batches(
    quality: QualityRows, moments: DataFrame, pca: FittedPca, new_batches: Sequence[str]
) -> dict[str, Any]:
    """Compare the photos of the last run that added photos with earlier photos."""
    means = moments.select("batch", "n", "mean").toPandas()
    # A batch of rejected photos has an empty mean.
    means["mean"] = [mean / pca.model.scale[: len(mean)] for mean in means["mean"]]
    variance = float(pca.model.spectrum.sum())
    return coverage.compare_batches(quality.chunks(), means, variance, new_batches)


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
