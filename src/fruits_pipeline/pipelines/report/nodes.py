"""Report: the results of a run, as figures and small tables that Kedro-Viz can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from plotly.graph_objects import Figure as PlotlyFigure
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.models.pca import choose_components
from fruits_pipeline.parameters import ReportParameters
from fruits_pipeline.reporting import contact_sheets, figures
from fruits_pipeline.spark.frames import with_bytes

VARIANCES = (0.80, 0.85, 0.90, 0.95, 0.99)
"""Shares of variance whose number of components is reported."""


def count_labels(images: DataFrame) -> pd.DataFrame:
    """Count photos and rejected photos by label and split."""
    counts = images.groupBy("label", "split").agg(
        F.count("path").alias("photos"), F.count("error").alias("rejected")
    )
    return _sorted(counts.toPandas(), "label", "split")


def list_rejects(images: DataFrame) -> pd.DataFrame:
    """List photos that could not be decoded, with the error."""
    rejects = images.where("error is not null")
    return _sorted(rejects.select("path", "label", "split", "error").toPandas(), "path")


def _sorted(rows: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Sort a few rows on the driver, which costs Spark two jobs."""
    return rows.sort_values([*columns], na_position="first", ignore_index=True)


def plot_variance_curve(pca: FittedPca) -> PlotlyFigure:
    """Plot the explained variance by number of components."""
    model = pca.model
    marks = {share: choose_components(model.ratios, share) for share in VARIANCES}
    return figures.variance_curve(model.ratios, len(model.components), marks)


def plot_photo_map(
    reduced: DataFrame, pca: FittedPca, parameters: ReportParameters
) -> PlotlyFigure:
    """Plot photos by their first two components; a sample of them if there are many."""
    points = (
        reduced.select(
            "path", "photo_id", "label", "split", _component(0), _component(1)
        )
        .orderBy("photo_id", "path")  # a digest: its order is a random sample
        .limit(parameters.map_photos)
        .drop("photo_id")
    )
    first, then = (*pca.model.ratios[:2], 0.0)[:2]
    return figures.photo_map(points.toPandas(), (float(first), float(then)))


def _component(number: int) -> Column:
    """Return the column `x` or `y`; 0 if there are fewer components."""
    value = F.get("components", F.lit(number))
    return F.coalesce(value, F.lit(0.0).cast("float")).alias("xy"[number])


def draw_class_sheet(images: DataFrame, parameters: ReportParameters) -> Figure:
    """Draw a few photos of every label."""
    # The first batch of a label, in the order of digests: few files, a random sample.
    order = Window.partitionBy("label").orderBy("batch", "photo_id", "path")
    good = images.where("error is null").select("label", "batch", "photo_id", "path")
    ranked = good.withColumn("rank", F.row_number().over(order))
    shown = ranked.where(F.col("rank") <= parameters.examples_per_label)
    chosen = _sorted(shown.toPandas(), "label", "rank")
    photos = with_bytes(images, chosen, "image")
    return contact_sheets.class_sheet(photos, parameters.examples_per_label)


def draw_reject_sheet(
    photos: DataFrame,
    images: DataFrame,
    image_counts: pd.DataFrame,
    parameters: ReportParameters,
) -> Figure:
    """Draw photos that could not be decoded, with the errors."""
    rejects = images.where("error is not null").select("path", "batch", "error")
    shown = rejects.orderBy("path").limit(parameters.rejects_shown).toPandas()
    found = with_bytes(photos, shown, "content")
    counts = image_counts[["rejected", "photos"]].sum()
    return contact_sheets.reject_sheet(found, *map(int, counts))


def summarise_run(
    image_counts: pd.DataFrame,
    feature_counts: pd.DataFrame,
    pca: FittedPca,
    listing_counts: Mapping[str, Any],
) -> dict[str, Any]:
    """Count what the tables contain; a hook adds what this run wrote, and its speed.

    Args:
        image_counts: `photos` and `rejected` of each batch of `images`.
        feature_counts: `photos` of each batch of `features`.
        pca: The model.
        listing_counts: Counts of the newest listing of the photo store.
    """
    model = pca.model
    return {
        "photos": int(image_counts["photos"].sum()),
        "rejected": int(image_counts["rejected"].sum()),
        "gone": listing_counts["gone"],
        "features": int(feature_counts["photos"].sum()),
        "feature_width": len(model.mean),
        "components": len(model.components),
        "explained_variance": round(model.explained, 6),
        "components_for": {
            f"{share:.0%}": choose_components(model.ratios, share)
            for share in VARIANCES
        },
    }
