"""Backbone: a Keras model becomes a LiteRT file and its card."""

from __future__ import annotations

from pyspark.sql import functions as F

from fruits_pipeline import keras_backbones
from fruits_pipeline.backbones import Backbone
from fruits_pipeline.batches import Batches, newest
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.keras_backbones import TrainingPhotos
from fruits_pipeline.parameters import BackboneParameters


def build_backbone(images: Batches, parameters: BackboneParameters) -> Backbone:
    """Build the backbone that the parameters describe, trained if they say so.

    Args:
        images: The table `images`; read only for training.
        parameters: Of the stage.
    """
    trained = parameters.epochs or parameters.head_epochs
    photos = _training_photos(images, parameters.training_split) if trained else None
    return keras_backbones.build(parameters, photos)


def _training_photos(images: Batches, split: str) -> TrainingPhotos:
    good = newest(images).where("label is not null and error is null")
    chosen = good.where(F.col("split") == split).select("path", "batch", "label")
    pixels = images.rows().select("path", "batch", "image")
    rows = pixels.join(chosen, ["path", "batch"]).orderBy("path")
    table = rows.select("label", "image").toArrow()
    labels = table["label"].to_pylist()
    if len(set(labels)) <= 1:
        raise FruitsError(
            f"Found {len(labels)} photos of {len(set(labels))} label(s) in the split "
            f"{split!r}; expected at least two labels to tell apart. Ingest and "
            "preprocess labelled photos first, or change backbone.training_split, or "
            "set backbone.epochs and backbone.head_epochs to 0 to train nothing."
        )
    return TrainingPhotos(table["image"].to_pylist(), labels)
