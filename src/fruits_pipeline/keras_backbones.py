"""Build a backbone with Keras: any model of `keras.applications`, to LiteRT.

TensorFlow comes with `pip install fruits-pipeline[keras]`; this module, `keras_networks`
and `training` alone need it. Nothing of it is needed to run a backbone.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from fruits_pipeline.backbones import Backbone, Card
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.keras_networks import (
    RANDOM,
    build_network,
    freeze,
    no_weights,
    with_scaling,
)
from fruits_pipeline.parameters import BackboneParameters, NetworkParameters
from fruits_pipeline.training_batches import TrainingPhotos

if TYPE_CHECKING:
    import keras

    from fruits_pipeline.training import History

logger = logging.getLogger(__name__)

TOLERANCE = 1e-3
"""Largest difference between Keras' features and LiteRT's."""


def build(
    parameters: BackboneParameters, images: Sequence[bytes], labels: Sequence[str]
) -> tuple[Backbone, History]:
    """Build, train where there is something to train on, and convert to LiteRT.

    Args:
        parameters: Of the stage backbone.
        images: Canonical photos to train on; none trains nothing.
        labels: Of each of them.

    Returns:
        The backbone, and how the training went.

    Raises:
        FruitsError: No TensorFlow, no such architecture, or no such weights.
    """
    try:
        import keras
        import tensorflow as tf
    except ModuleNotFoundError as exc:
        raise FruitsError(
            f"Found no {exc.name}; expected TensorFlow, which is needed to build a "
            "backbone. Install it with `pip install fruits-pipeline[keras]`, or use "
            "the backbone that the project ships."
        ) from exc
    if parameters.weights == RANDOM and not images:
        raise no_weights(parameters, "random weights that nothing trains")
    keras.utils.set_random_seed(parameters.seed)
    network, history = build_network(parameters), []
    if images:
        folder = Path(parameters.checkpoints, _digest(parameters, images, labels))
        history = _train(network, TrainingPhotos(images, labels), parameters, folder)
    versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
    told = _told(parameters, images, labels, history)
    return _to_litert(network, parameters, told, versions), history


def _train(
    network: keras.Model,
    photos: TrainingPhotos,
    parameters: BackboneParameters,
    folder: Path,
) -> History:
    from fruits_pipeline.teaching import taught
    from fruits_pipeline.training import train

    freeze(network, parameters)
    photos = taught(photos, parameters.teacher, folder)
    model = with_scaling(network, parameters)
    return train(model, photos, parameters.training, parameters.seed, folder)


def _digest(
    parameters: BackboneParameters, images: Sequence[bytes], labels: Sequence[str]
) -> str:
    """Return what tells one training from another."""
    sha = hashlib.sha256(parameters.model_dump_json().encode())
    for image, label in zip(images, labels, strict=True):
        sha.update(image + label.encode())
    return sha.hexdigest()[:12]


def _told(
    parameters: BackboneParameters,
    images: Sequence[bytes],
    labels: Sequence[str],
    history: History,
) -> dict[str, Any]:
    """Return what the card says of a training."""
    if not history:
        return {}
    how: dict[str, Any] = {"photos": len(images), "labels": len({*labels})}
    how |= {"seed": parameters.seed, **parameters.training.model_dump()}
    how |= parameters.photos.model_dump()
    if parameters.teacher.weight:
        how["teacher"] = parameters.teacher.model_dump(exclude={"weights"})
    last = {name: round(value, 4) for name, value in history[-1].items()}
    return how | {"last_epoch": last}


def _to_litert(
    network: keras.Model,
    parameters: NetworkParameters,
    training: dict[str, Any],
    versions: dict[str, str],
) -> Backbone:
    model = with_scaling(network, parameters, photos=1)
    content = _convert(model)
    card = Card(
        architecture=parameters.architecture,
        arguments=parameters.arguments,
        input_size=parameters.input_size,
        width=model.output_shape[-1],
        weights=parameters.weights.rpartition("/")[-1],
        training=training,
        versions=versions,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    backbone = Backbone(content, card)
    _check_same(model, backbone)
    return backbone


def _convert(model: keras.Model) -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder, "backbone.tflite")
        model.export(file, format="litert", verbose=False)
        return file.read_bytes()


def _check_same(model: keras.Model, backbone: Backbone) -> None:
    """Refuse a file that has lost its weights, or its scaling, on the way."""
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
