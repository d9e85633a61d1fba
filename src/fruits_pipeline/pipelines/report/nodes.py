"""Create figures, small tables and the summary of a run, for Kedro-Viz."""

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
from fruits_pipeline.spark.columns import add_binary_column
from fruits_pipeline.spark.sampling import fit_memory, sample_photos

VARIANCES = (0.80, 0.85, 0.90, 0.95, 0.99)
"""Shares of the variance for which the number of components is reported."""


def count_labels(images: DataFrame) -> pd.DataFrame:
    """Count photos and rejected photos by label and split."""
    counts = images.groupBy("label", "split").agg(
        F.count("path").alias("photos"), F.count("error").alias("rejected")
    )
    return _sort(counts.toPandas(), ["label", "split"])


def plot_variance_curve(pca: FittedPca) -> PlotlyFigure:
    """Plot the explained variance over the number of components."""
    model = pca.model
    marks = {share: choose_components(model.ratios, share) for share in VARIANCES}
    return figures.variance_curve(model.ratios, len(model.components), marks)


def plot_photo_map(
    reduced: DataFrame, pca: FittedPca, parameters: ReportParameters
) -> PlotlyFigure:
    """Plot up to `map_photos` photos by their first two components."""
    points = (
        reduced.select(
            "path", "photo_id", "label", "split", _component(0, "x"), _component(1, "y")
        )
        .orderBy("photo_id", "path")  # `photo_id` is a digest, so the sample is random
        .limit(parameters.map_photos)
        .drop("photo_id")
    )
    # With one component, the second share is 0.
    first, second = (*pca.model.ratios[:2], 0.0)[:2]
    return figures.photo_map(points.toPandas(), (float(first), float(second)))


def draw_class_sheet(
    images: DataFrame,
    image_counts: pd.DataFrame,
    removed: Mapping[str, int],
    parameters: ReportParameters,
) -> Figure:
    """Draw up to `examples_per_label` photos of each label.

    Args:
        images: The table `images`, without photos whose content was removed.
        image_counts: `photos` of each batch of `images`.
        removed: Number of photos whose content was removed, by table.
        parameters: Parameters of the stage.
    """
    count = int(image_counts["photos"].sum()) - removed["images"]
    keys = images.select("label", "batch", "photo_id", "path", "error")
    found = sample_photos(keys, count, fit_memory(parameters.sample_photos))
    # From the first batches of a label, so that few files are read. Within a batch, the
    # order is random, because `photo_id` is a digest.
    order = Window.partitionBy("label").orderBy("batch", "photo_id", "path")
    good = found.where("error is null").drop("error")
    ranked = good.withColumn("rank", F.row_number().over(order))
    shown = ranked.where(F.col("rank") <= parameters.examples_per_label)
    chosen = _sort(shown.toPandas(), ["label", "rank"])
    photos = add_binary_column(images, chosen, "image")
    count = parameters.examples_per_label
    return contact_sheets.class_sheet(photos, count, removed["images"])


def summarise_run(
    photo_counts: pd.DataFrame,
    image_counts: pd.DataFrame,
    feature_counts: pd.DataFrame,
    pca: FittedPca,
    listing_counts: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the counts of the run summary; `SummaryHooks` adds batches and speed.

    Args:
        photo_counts: `photos` of each batch of `photos`.
        image_counts: `photos` and `rejected` of each batch of `images`.
        feature_counts: `photos` of each batch of `features`.
        pca: PCA of this run.
        listing_counts: Counts of the latest listing of the photo root.
    """
    model = pca.model
    return {
        "files": listing_counts["files"],
        "left_out": listing_counts["left_out"],
        "photos_listed": listing_counts["photos"],
        "photos": int(photo_counts["photos"].sum()),
        "rejected": int(image_counts["rejected"].sum()),
        "gone": listing_counts["gone"],
        "moved": listing_counts.get("moved", 0),
        "deleted": listing_counts.get("deleted", 0),
        "features": int(feature_counts["photos"].sum()),
        "feature_width": len(model.mean),
        "components": len(model.components),
        "explained_variance": round(model.explained, 6),
        "components_for": {
            f"{share:.0%}": choose_components(model.ratios, share)
            for share in VARIANCES
        },
    }


def _component(number: int, name: str) -> Column:
    """Return a component as a column; 0.0 if there are fewer components."""
    value = F.get("components", F.lit(number))
    return F.coalesce(value, F.lit(0.0).cast("float")).alias(name)


def _sort(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Sort a few rows on the driver; Spark would start two jobs to sort them."""
    return rows.sort_values(by, na_position="first", ignore_index=True)
