"""Build a backbone from a model of `keras.applications`, with or without training.

The module can be imported without TensorFlow (`pip install fruits-pipeline[keras]`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.parameters import RANDOM_WEIGHTS, BackboneParameters
from fruits_pipeline.training.data import TrainingPhotos
from fruits_pipeline.training.distillation import add_targets
from fruits_pipeline.training.litert_export import export_backbone
from fruits_pipeline.training.networks import (
    add_inner_layers,
    add_scaling,
    build_network,
    freeze_layers,
    interpolate_weights,
    weights_error,
)

if TYPE_CHECKING:
    import keras

    from fruits_pipeline.training.loop import History


def build_backbone(
    parameters: BackboneParameters, images: Sequence[bytes], labels: Sequence[str]
) -> tuple[Backbone, History]:
    """Build a network, fine-tune it if there are photos, and export it to LiteRT.

    Args:
        parameters: Parameters of the stage.
        images: Canonical photos to train on; empty for no training.
        labels: Label of each photo.

    Returns:
        The backbone, and losses and accuracy of each epoch.

    Raises:
        FruitsError: If TensorFlow is not installed; if the architecture, the weights or
            a layer do not exist; or if the network cannot be exported.
    """
    try:
        import keras
        import tensorflow  # noqa: F401 - checks that it is installed
    except ModuleNotFoundError as exc:
        raise FruitsError(
            f"Found no {exc.name}; expected TensorFlow, which is needed to build a "
            "backbone. Install it with `pip install fruits-pipeline[keras]`, or use "
            "the backbone that the project ships."
        ) from exc
    if parameters.weights == RANDOM_WEIGHTS and not images:
        raise weights_error(parameters, "random weights without training")
    keras.utils.set_random_seed(parameters.seed)
    network = build_network(parameters)
    # Shares the weights of `network`. Created before the training, so that an unknown
    # layer is reported at once.
    extended = add_inner_layers(network, parameters.inner_layers)
    history: History = []
    if images:
        folder = Path(parameters.checkpoints, _digest(parameters, images, labels))
        photos = TrainingPhotos(images, labels)
        history = fine_tune(network, photos, parameters, folder)
    record = _training_record(parameters, images, labels, history)
    return export_backbone(extended, parameters, record), history


def fine_tune(
    network: keras.Model,
    photos: TrainingPhotos,
    parameters: BackboneParameters,
    folder: Path,
) -> History:
    """Train a network in place, with knowledge distillation and weight interpolation.

    Args:
        network: Network from scaled pixels to features.
        photos: Photos of at least two labels.
        parameters: Parameters of the stage.
        folder: Folder for teacher embeddings and the state of the training.

    Returns:
        Losses and accuracy of each epoch.

    Raises:
        FruitsError: If `first_trainable_layer`, or the architecture or the weights of
            the teacher do not exist.
    """
    from fruits_pipeline.training.loop import train

    freeze_layers(network, parameters)
    photos = add_targets(photos, parameters.teacher, folder)
    model = add_scaling(network, parameters)
    pretrained = network.get_weights()
    history = train(model, photos, parameters.training, parameters.seed, folder)
    if parameters.weights != RANDOM_WEIGHTS:
        share = parameters.training.weight_interpolation
        interpolate_weights(network, pretrained, share)
    return history


def _digest(
    parameters: BackboneParameters, images: Sequence[bytes], labels: Sequence[str]
) -> str:
    """Return a digest of the parameters and photos that determine the trained weights."""
    determining = parameters.model_dump_json(
        exclude={"inner_layers": True, "training": {"weight_interpolation"}}
    )
    sha = hashlib.sha256(determining.encode())
    for image, label in zip(images, labels, strict=True):
        sha.update(image + label.encode())
    return sha.hexdigest()[:12]


def _training_record(
    parameters: BackboneParameters,
    images: Sequence[bytes],
    labels: Sequence[str],
    history: History,
) -> dict[str, Any]:
    """Return the entry `training` of the model card; empty without training."""
    if not history:
        return {}
    record: dict[str, Any] = {"photos": len(images), "labels": len({*labels})}
    record |= {"seed": parameters.seed, **parameters.training.model_dump()}
    record |= parameters.photos.model_dump()
    if parameters.teacher.weight:
        record["teacher"] = parameters.teacher.model_dump(exclude={"weights"})
    last = {name: round(value, 4) for name, value in history[-1].items()}
    return record | {"last_epoch": last}
