"""Build a backbone with Keras: any model of `keras.applications`, to LiteRT.

TensorFlow comes with `pip install fruits-pipeline[keras]`; this module, those whose names
begin as its own, `teaching` and `training` alone need it, and no run of a backbone does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.parameters import BackboneParameters
from fruits_pipeline.training.data import TrainingPhotos
from fruits_pipeline.training.litert_export import to_backbone
from fruits_pipeline.training.networks import (
    RANDOM,
    build_network,
    freeze,
    mix,
    no_weights,
    with_inner_layers,
    with_scaling,
)

if TYPE_CHECKING:
    import keras

    from fruits_pipeline.training.loop import History


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
        import tensorflow  # noqa: F401 - whether it is there
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
    whole = with_inner_layers(network, parameters.inner_layers)
    if images:
        folder = Path(parameters.checkpoints, _digest(parameters, images, labels))
        history = _train(network, TrainingPhotos(images, labels), parameters, folder)
    told = _told(parameters, images, labels, history)
    return to_backbone(whole, parameters, told), history


def _train(
    network: keras.Model,
    photos: TrainingPhotos,
    parameters: BackboneParameters,
    folder: Path,
) -> History:
    from fruits_pipeline.training.distillation import taught
    from fruits_pipeline.training.loop import train

    freeze(network, parameters)
    photos = taught(photos, parameters.teacher, folder)
    model = with_scaling(network, parameters)
    begun = network.get_weights()
    history = train(model, photos, parameters.training, parameters.seed, folder)
    if parameters.weights != RANDOM:
        mix(network, begun, parameters.training.weight_interpolation)
    return history


def _digest(
    parameters: BackboneParameters, images: Sequence[bytes], labels: Sequence[str]
) -> str:
    """Return what tells one training from another; not what is done with it after."""
    told = parameters.model_dump_json(
        exclude={"inner_layers": True, "training": {"weight_interpolation"}}
    )
    sha = hashlib.sha256(told.encode())
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
