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
from pyspark.sql import functions as F

from fruits_pipeline import schemas
from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.datasets.photo_listing import work_folder
from fruits_pipeline.imaging.thumbnails import THUMBNAIL_SIDE
from fruits_pipeline.io.row_file import RowFile
from fruits_pipeline.models.moment_tree import MomentTree
from fruits_pipeline.parameters import ReportParameters
from fruits_pipeline.reporting import coverage, examples, image_quality
from fruits_pipeline.reporting.atlas_picture import atlas_picture
from fruits_pipeline.spark import arrow
from fruits_pipeline.spark.frames import computed_by_workers, map_arrow, record_batches
from fruits_pipeline.spark.sampling import fit_memory, sample_photos

CHUNK_ROWS = 16_384
"""Rows of the table `quality` in memory."""


@dataclass(frozen=True)
class QualityRows:
    """The rows of the table `quality`, read when they are needed, and at most once.

    They are copied to a temporary file, and read from it in chunks: a million rows would
    take 300 MB of memory.

    Attributes:
        quality: The table.
        photos: Number of its rows.
        limit: Maximum number of rows that the driver reads.
    """

    quality: DataFrame
    photos: int
    limit: int

    @cached_property
    def _rows(self) -> RowFile:
        """All rows, or a sample of about `limit`."""
        fields = (*schemas.QUALITY, schemas.BATCH)
        schema = pa.schema([field for field in fields if field.name != "photo_id"])
        rows = RowFile(schema, work_folder(), CHUNK_ROWS)
        sample = sample_photos(self.quality, self.photos, self.limit)
        for batch in record_batches(sample):
            rows.add(pa.Table.from_batches([batch]))
        rows.close()
        return rows

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield these rows with `add_shape`, at most `CHUNK_ROWS` at a time."""
        for table in self._rows.tables():
            yield image_quality.add_shape(table.to_pandas())

    def __len__(self) -> int:
        """Return the number of these rows."""
        return len(self._rows)

    def group(self, new_batches: Sequence[str]) -> pd.DataFrame:
        """Count all photos, not a sample, and sum their measures.

        Returns:
            Rows as `coverage.group_photos`.
        """
        if self.photos <= self.limit:
            return coverage.group_photos(self.chunks(), new_batches)
        is_new = F.col("batch").isin([*new_batches]).alias("new")
        sums = [F.sum(name).alias(name) for name in coverage.MEASURES]
        groups = self.quality.groupBy(*coverage.GROUPS, is_new)
        return groups.agg(F.count("path").alias("photos"), *sums).toPandas()


def read_quality(
    quality: DataFrame, quality_counts: pd.DataFrame, parameters: ReportParameters
) -> QualityRows:
    """Return the rows of the table `quality`, which are not read yet."""
    photos = int(quality_counts["photos"].sum())
    return QualityRows(quality, photos, fit_memory(parameters.sample_photos))


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
    """Count the photos with each issue, and the values of each measure.

    Returns:
        Numbers of `photos` that were read, `of` all photos, and of each of the `issues`; and
        a histogram of each of the `measures`.
    """
    limits = parameters.quality.model_dump()
    _, counts = image_quality.find_issues(quality.chunks(), limits, listed=0)
    measures = image_quality.count_measures(quality.chunks())
    found = {"photos": len(quality), "of": quality.photos}
    return found | {"issues": counts, "measures": measures}


def count_coverage(quality: QualityRows, new_batches: Sequence[str]) -> pd.DataFrame:
    """Count photos and new photos by label, split and series."""
    return coverage.count_coverage(quality.group(new_batches))


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
    groups = quality.group(new_batches)
    return coverage.compare_batches(groups, means, variance, new_batches)


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
