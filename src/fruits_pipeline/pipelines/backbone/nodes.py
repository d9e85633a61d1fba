"""Backbone: a Keras model is trained, and becomes a LiteRT file and its card."""

from __future__ import annotations

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.parameters import BackboneParameters, TrainingPhotosParameters
from fruits_pipeline.reporting.training_curves import training_curves
from fruits_pipeline.spark.frames import in_splits
from fruits_pipeline.training import build as keras_backbones


def build_backbone(
    images: DataFrame, parameters: BackboneParameters
) -> tuple[Backbone, Figure]:
    """Build the backbone that the parameters describe, trained if they say so.

    Args:
        images: The table `images`; read only for training.
        parameters: Of the stage.

    Returns:
        The backbone, and the curves of its training.

    Raises:
        FruitsError: There are fewer than two labels to train on.
    """
    photos: tuple[list[bytes], list[str]] = ([], [])
    if parameters.training.epochs:
        table = select_training_photos(images, parameters.photos).toArrow()
        if (names := len(table["label"].unique())) <= 1:
            raise _too_few_labels(table.num_rows, names, parameters.photos.splits)
        photos = table["image"].to_pylist(), table["label"].to_pylist()
    backbone, history = keras_backbones.build(parameters, *photos)
    return backbone, training_curves(history)


def select_training_photos(
    images: DataFrame, chosen: TrainingPhotosParameters
) -> DataFrame:
    """Return `label` and `image` of the photos to train on, sorted by path."""
    labelled = images.where("label is not null and error is null")
    rows = labelled.where(in_splits(chosen.splits))
    rows = rows.where(~F.col("label").isin(chosen.held_out_labels))
    if chosen.held_out_series:
        left_out = F.col("series").rlike(chosen.held_out_series)
        rows = rows.where(~F.coalesce(left_out, F.lit(False)))
    return rows.orderBy("path").select("label", "image")


def _too_few_labels(photos: int, labels: int, splits: list[str]) -> FruitsError:
    return FruitsError(
        f"Found {photos} photos of {labels} label(s) in the splits "
        f"{splits}; expected at least two labels to tell apart. Ingest "
        "and preprocess labelled photos first, or change backbone.photos.splits, "
        "or set backbone.training.epochs to 0 to train nothing."
    )
