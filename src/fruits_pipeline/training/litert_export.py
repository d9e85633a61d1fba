"""Export Keras networks as LiteRT files, which run without TensorFlow."""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models.backbones import Backbone, Card
from fruits_pipeline.models.fixed_shapes import fix_shapes
from fruits_pipeline.parameters import NetworkParameters
from fruits_pipeline.training.networks import add_scaling

if TYPE_CHECKING:
    import keras

TOLERANCE = 1e-3
"""Largest absolute difference between the features of Keras and of LiteRT."""


def export_backbone(
    network: keras.Model, parameters: NetworkParameters, training: dict[str, Any]
) -> Backbone:
    """Return a network, with the scaling of its input, as a LiteRT file with a card.

    Args:
        network: Network from scaled pixels to features.
        parameters: Parameters of the network.
        training: Entry `training` of the card.

    Raises:
        FruitsError: If the features of the file differ from those of the network.
    """
    import keras
    import tensorflow as tf

    model = add_scaling(network, parameters, batch_size=1)
    content = _convert(model)
    card = Card(
        architecture=parameters.architecture,
        arguments=parameters.arguments,
        inner_layers=parameters.inner_layers,
        input_size=parameters.input_size,
        width=model.output_shape[-1],
        weights=parameters.weights.rpartition("/")[-1],
        training=training,
        versions={"keras": keras.__version__, "tensorflow": tf.__version__},
        sha256=hashlib.sha256(content).hexdigest(),
    )
    backbone = Backbone(content, card)
    _check_features(model, backbone)
    return backbone


def _convert(model: keras.Model) -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder, "backbone.tflite")
        model.export(file, format="litert", verbose=False)
        return fix_shapes(file.read_bytes())


def _check_features(model: keras.Model, backbone: Backbone) -> None:
    """Raise if model and file differ, for example because the file has no weights."""
    size = backbone.card.input_size
    noise = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), np.uint8)
    expected = model.predict(noise, verbose=0)
    (found,) = backbone.embed(noise)
    if not np.allclose(found, expected, atol=TOLERANCE):
        raise FruitsError(
            f"Found features that differ by {np.abs(found - expected).max():.2g} "
            f"between LiteRT and Keras; expected at most {TOLERANCE}. This model does "
            "not convert; choose another backbone.architecture."
        )
