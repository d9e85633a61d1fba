"""Backbone: a Keras model is trained, and becomes a LiteRT file and its card."""

from __future__ import annotations

import pyarrow as pa
from plotly.graph_objects import Figure
from pyspark.sql import functions as F

from fruits_pipeline import keras_backbones
from fruits_pipeline.backbones import Backbone
from fruits_pipeline.batches import Batches, in_splits, labelled
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parameters import BackboneParameters, TrainingPhotosParameters
from fruits_pipeline.training_curves import training_curves


def build_backbone(
    images: Batches, parameters: BackboneParameters
) -> tuple[Backbone, Figure]:
    """Build the backbone that the parameters describe, trained if they say so.

    Args:
        images: The table `images`; read only for training.
        parameters: Of the stage.

    Returns:
        The backbone, and the curves of its training.
    """
    photos: tuple[list[bytes], list[str]] = ([], [])
    if parameters.training.epochs:
        table = _training_photos(images, parameters.photos)
        photos = table["image"].to_pylist(), table["label"].to_pylist()
    backbone, history = keras_backbones.build(parameters, *photos)
    return backbone, training_curves(history)


def _training_photos(images: Batches, chosen: TrainingPhotosParameters) -> pa.Table:
    """Return `label` and `image` of the photos to train on, by path.

    Raises:
        FruitsError: There are not two labels to tell apart.
    """
    said = labelled(images).where(in_splits(chosen.splits))
    said = said.where(~F.col("label").isin(chosen.left_out_labels))
    if chosen.left_out_series:
        left_out = F.col("series").rlike(chosen.left_out_series)
        said = said.where(~F.coalesce(left_out, F.lit(False)))
    pixels = images.rows().select("path", "batch", "image")
    rows = pixels.join(said.select("path", "batch", "label"), ["path", "batch"])
    table = rows.orderBy("path").select("label", "image").toArrow()
    if (names := len(table["label"].unique())) <= 1:
        raise FruitsError(
            f"Found {table.num_rows} photos of {names} label(s) in the splits "
            f"{chosen.splits}; expected at least two labels to tell apart. Ingest "
            "and preprocess labelled photos first, or change backbone.photos.splits, "
            "or set backbone.training.epochs to 0 to train nothing."
        )
    return table
