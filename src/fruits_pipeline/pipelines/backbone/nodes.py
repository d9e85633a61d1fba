"""Build a backbone, and train it on photos of the table `images`."""

from __future__ import annotations

from plotly.graph_objects import Figure
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.parameters import BackboneParameters, TrainingPhotosParameters
from fruits_pipeline.reporting.training_curves import training_curves
from fruits_pipeline.spark.columns import in_splits
from fruits_pipeline.training import build


def build_backbone(
    images: DataFrame, parameters: BackboneParameters
) -> tuple[Backbone, Figure]:
    """Build a backbone; train it unless `training.epochs` is 0.

    Args:
        images: The table `images`, which is read only for training.
        parameters: Parameters of the stage.

    Returns:
        The backbone, and a figure of the losses and the accuracy of the training.

    Raises:
        FruitsError: If the training photos have fewer than two labels, or for the reasons
            given in `training.build.build_backbone`.
    """
    photos: tuple[list[bytes], list[str]] = ([], [])
    if parameters.training.epochs:
        table = select_training_photos(images, parameters.photos).toArrow()
        if (labels := len(table["label"].unique())) <= 1:
            raise _too_few_labels_error(
                table.num_rows, labels, parameters.photos.splits
            )
        photos = table["image"].to_pylist(), table["label"].to_pylist()
    backbone, history = build.build_backbone(parameters, *photos)
    return backbone, training_curves(history)


def select_training_photos(
    images: DataFrame, selection: TrainingPhotosParameters
) -> DataFrame:
    """Return the columns `label` and `image` of the training photos, sorted by path."""
    rows = images.where("label is not null and error is null")
    rows = rows.where(in_splits(selection.splits))
    rows = rows.where(~F.col("label").isin(selection.held_out_labels))
    if selection.held_out_series:
        held_out = F.col("series").rlike(selection.held_out_series)
        rows = rows.where(~F.coalesce(held_out, F.lit(False)))
    return rows.orderBy("path").select("label", "image")


def _too_few_labels_error(photos: int, labels: int, splits: list[str]) -> FruitsError:
    return FruitsError(
        f"Found {photos} photos of {labels} label(s) in the splits {splits}; expected at "
        "least two labels. Ingest and preprocess labelled photos first, or change "
        "backbone.photos.splits, or set backbone.training.epochs to 0 to skip training."
    )
