"""Report: what came out, in figures and small tables that Kedro-Viz can show."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from plotly.graph_objects import Figure as PlotlyFigure
from pyspark.sql import DataFrame as SparkDataFrame
from pyspark.sql import Window
from pyspark.sql import functions as F

from fruits_pipeline import contact_sheets, figures
from fruits_pipeline.batches import Batches, newest
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
    return newest(images.rows().drop("image"))


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
    second = F.coalesce(F.try_element_at("components", F.lit(2)), F.lit(0.0))
    points = (
        reduced.rows()
        .join(current_photos.select("path", "batch"), ["path", "batch"])
        .orderBy("photo_id", "path")  # a digest: any order of it is a fair sample
        .limit(parameters.map_photos)
        .select(
            *("path", "label", "split"),
            F.element_at("components", 1).alias("x"),
            second.alias("y"),
        )
    )
    first, then = (*pca.model.ratios[:2], 0.0)[:2]
    return figures.photo_map(points.toPandas(), (float(first), float(then)))


def draw_class_sheet(
    images: Batches, current_photos: SparkDataFrame, parameters: ReportParameters
) -> Figure:
    """Draw a few photos of every label."""
    by_label = Window.partitionBy("label").orderBy("batch", "photo_id", "path")
    good = current_photos.where("error is null")
    shown = good.withColumn("rank", F.row_number().over(by_label)).where(
        F.col("rank") <= parameters.examples_per_label
    )
    photos = _with_bytes(images, shown, "image").orderBy("label", "rank")
    return contact_sheets.class_sheet(photos.toPandas(), parameters.examples_per_label)


def draw_reject_sheet(
    photos: Batches, current_photos: SparkDataFrame, parameters: ReportParameters
) -> Figure:
    """Draw what could not be decoded, with the reasons."""
    rejects = current_photos.where("error is not null")
    shown = rejects.orderBy("path").limit(parameters.rejects_shown)
    found = _with_bytes(photos, shown, "content").orderBy("path").toPandas()
    return contact_sheets.reject_sheet(found, rejects.count(), current_photos.count())


def _with_bytes(table: Batches, chosen: SparkDataFrame, column: str) -> SparkDataFrame:
    """Add a heavy column to a few rows, reading only the batches they are in."""
    names = [row.batch for row in chosen.select("batch").distinct().collect()]
    heavy = table.read(names or table.names[:1]).select("path", "batch", column)
    return heavy.join(F.broadcast(chosen), ["path", "batch"])


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
    current = current_photos.select("path", "batch", "error")
    embedded = features.rows().select("path", "batch").join(current, ["path", "batch"])
    return {
        "photos": current.count(),
        "rejected": current.where("error is not null").count(),
        "features": embedded.count(),
        "feature_width": len(model.mean),
        "components": len(model.components),
        "explained_variance": round(model.explained, 6),
        "components_for": {
            f"{share:.0%}": choose_components(model.ratios, share)
            for share in VARIANCES
        },
    }
