"""Report: what came out, in figures and small tables that Kedro-Viz can show."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from plotly.graph_objects import Figure as PlotlyFigure
from pyspark.sql import DataFrame as SparkDataFrame
from pyspark.sql import Window
from pyspark.sql import functions as F

from fruits_pipeline import arrow_steps, contact_sheets, figures, schemas
from fruits_pipeline.batches import Batches, newest, with_bytes
from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.parameters import ReportParameters
from fruits_pipeline.pca import choose_components

VARIANCES = (0.80, 0.85, 0.90, 0.95, 0.99)
"""Shares of variance whose number of components is reported."""


def select_current(images: Batches) -> SparkDataFrame:
    """Return the newest row of every photo, without its pixels.

    Args:
        images: The table `images`.
    """
    return newest(images)


def count_labels(current_photos: SparkDataFrame) -> pd.DataFrame:
    """Count photos and rejects by label and split."""
    counts = current_photos.groupBy("label", "split").agg(
        F.count("path").alias("photos"), F.count("error").alias("rejected")
    )
    return counts.orderBy("label", "split").toPandas()


def list_rejects(current_photos: SparkDataFrame) -> pd.DataFrame:
    """List photos that could not be decoded, and why."""
    rejects = current_photos.where("error is not null").orderBy("path")
    return rejects.select("path", "label", "split", "error").toPandas()


def plot_variance_curve(pca: FittedPca) -> PlotlyFigure:
    """Plot how much of the variance how many components keep."""
    model = pca.model
    marks = {share: choose_components(model.ratios, share) for share in VARIANCES}
    return figures.variance_curve(model.ratios, len(model.components), marks)


def plot_photo_map(
    reduced: Batches,
    current_photos: SparkDataFrame,
    pca: FittedPca,
    parameters: ReportParameters,
) -> PlotlyFigure:
    """Plot photos by their first two components, some of them where they are many."""
    points = (
        reduced.map(arrow_steps.first_two, schemas.POINTS)
        .rows()
        .join(current_photos.select("path", "batch"), ["path", "batch"])
        .orderBy("photo_id", "path")  # a digest: any order of it is a fair sample
        .limit(parameters.map_photos)
        .select("path", "label", "split", "x", "y")
    )
    first, then = (*pca.model.ratios[:2], 0.0)[:2]
    return figures.photo_map(points.toPandas(), (float(first), float(then)))


def draw_class_sheet(
    images: Batches, current_photos: SparkDataFrame, parameters: ReportParameters
) -> Figure:
    """Draw a few photos of every label."""
    # From one part of a label, by digest: few files to open, however many there are.
    order = ("batch", "part", "photo_id", "path")
    rank = F.row_number().over(Window.partitionBy("label").orderBy(*order))
    good = current_photos.where("error is null").withColumn("rank", rank)
    shown = good.where(F.col("rank") <= parameters.examples_per_label)
    photos = with_bytes(images, shown.orderBy("label", "rank").toPandas(), "image")
    return contact_sheets.class_sheet(photos, parameters.examples_per_label)


def draw_reject_sheet(
    photos: Batches, current_photos: SparkDataFrame, parameters: ReportParameters
) -> Figure:
    """Draw what could not be decoded, with the reasons."""
    rejects = current_photos.where("error is not null").orderBy("path")
    shown = rejects.limit(parameters.rejects_shown).toPandas()
    found = with_bytes(photos, shown, "content")
    return contact_sheets.reject_sheet(found, *_rejected_of(current_photos))


def _rejected_of(current_photos: SparkDataFrame) -> tuple[int, int]:
    counts = current_photos.select(F.count("error"), F.count("path")).first()
    rejected, photos = counts or (0, 0)
    return rejected, photos


def summarise_run(
    current_photos: SparkDataFrame, features: Batches, pca: FittedPca
) -> dict[str, Any]:
    """Say in numbers what the tables hold.

    The hook that times the run adds what it wrote and how long it took.

    Args:
        current_photos: The newest row of every photo.
        features: The table `features`.
        pca: The model.
    """
    model = pca.model
    current = current_photos.select("path", "batch")
    embedded = features.rows().select("path", "batch").join(current, ["path", "batch"])
    rejected, photos = _rejected_of(current_photos)
    return {
        "photos": photos,
        "rejected": rejected,
        "features": embedded.count(),
        "feature_width": len(model.mean),
        "components": len(model.components),
        "explained_variance": round(model.explained, 6),
        "components_for": {
            f"{share:.0%}": choose_components(model.ratios, share)
            for share in VARIANCES
        },
    }
