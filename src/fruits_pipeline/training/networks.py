"""Networks of `keras.applications` as feature extractors."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.fitting import fit
from fruits_pipeline.parameters import (
    RANDOM_WEIGHTS,
    BackboneParameters,
    NetworkParameters,
)

if TYPE_CHECKING:
    import keras

EMBEDDING_BATCH = 64

MAP_RANK = 4
"""Rank of a feature map: photo, height, width, channel."""


def _find_application(name: str) -> Callable[..., keras.Model]:
    import keras

    found: Callable[..., keras.Model] | None = getattr(keras.applications, name, None)
    if not callable(found):
        names = [n for n in dir(keras.applications) if n[0].isupper()]
        raise FruitsError(
            f"Found backbone.architecture = {name!r}; expected one of "
            f"{', '.join(names)}. Change it in parameters_backbone.yml."
        )
    return found


def build_network(parameters: NetworkParameters) -> keras.Model:
    """Return a network from scaled pixels to the pooled features of its last layer.

    Raises:
        FruitsError: If the architecture or the weights do not exist.
    """
    size = parameters.input_size
    application = _find_application(parameters.architecture)
    try:
        return application(
            input_shape=(size, size, 3),
            include_top=False,
            pooling="avg",
            weights=None
            if parameters.weights == RANDOM_WEIGHTS
            else parameters.weights,
            **parameters.arguments,
        )
    except Exception as exc:  # Keras raises many types for downloads, files, arguments
        raise weights_error(parameters, str(exc)) from exc


def weights_error(parameters: NetworkParameters, reason: str) -> FruitsError:
    """Return the error of missing weights, with all ways to provide weights."""
    return FruitsError(
        f"Found no weights for backbone.architecture = {parameters.architecture} with "
        f"{parameters.arguments}: {reason}. Do one of the following: set "
        "backbone.weights to imagenet, which Keras downloads or finds in its cache; "
        "set it to a weights file; set it to random and backbone.training.epochs to "
        "more than 0; or use the backbone that the project ships."
    )


def add_inner_layers(network: keras.Model, names: Sequence[str]) -> keras.Model:
    """Return a network whose features include the pooled output of inner layers.

    Inner layers describe appearance where the last layer describes the class (Evci et
    al.: Head2Toe: Utilizing Intermediate Representations for Better Transfer Learning,
    2022).

    Args:
        network: Network from scaled pixels to features.
        names: Names of the inner layers. Their means over height and width follow the
            features of the network. If empty, the network is returned unchanged.

    Raises:
        FruitsError: If a layer does not exist or its output is not a feature map.
    """
    import keras

    maps = {
        layer.name: layer.output
        for layer in network.layers
        if len(layer.output.shape) == MAP_RANK
    }
    if unknown := {*names} - maps.keys():
        raise FruitsError(
            f"Found backbone.inner_layers = {sorted(unknown)}; expected names of layers "
            f"with a feature map, or []. Choose from: {', '.join(maps)}."
        )
    if not names:
        return network
    means = [keras.layers.GlobalAveragePooling2D()(maps[name]) for name in names]
    features = keras.layers.Concatenate()([*network.outputs, *means])
    return keras.Model(network.inputs, features)


def add_scaling(
    network: keras.Model, parameters: NetworkParameters, batch_size: int | None = None
) -> keras.Model:
    """Return a network that scales its input as its architecture requires.

    Args:
        network: Network from scaled pixels to features.
        parameters: Parameters of the network.
        batch_size: Fixed number of photos in a batch; None for any number.

    Returns:
        Network from pixels, `uint8 [n, size, size, 3]`, RGB, to features.
    """
    import keras

    application = _find_application(parameters.architecture)
    module = importlib.import_module(application.__module__)

    class Scaling(keras.layers.Layer):  # type: ignore[misc]
        def call(self, pixels: Any) -> Any:
            return module.preprocess_input(keras.ops.cast(pixels, "float32"))

    shape = (parameters.input_size, parameters.input_size, 3)
    pixels = keras.Input(shape, batch_size=batch_size, dtype="uint8")
    return keras.Model(pixels, network(Scaling()(pixels)))


def freeze_layers(network: keras.Model, parameters: BackboneParameters) -> None:
    """Freeze the layers before `first_trainable_layer`, and batch normalisation.

    Pretrained batch normalisation keeps its weights and statistics, because common
    statistics of studio and shop photos fit neither. With random weights, it is trained.

    Raises:
        FruitsError: If the layer does not exist.
    """
    import keras

    prefix = parameters.training.first_trainable_layer or ""
    names = [layer.name for layer in network.layers]
    found = [number for number, name in enumerate(names) if name.startswith(prefix)]
    if not found:
        raise FruitsError(
            f"Found backbone.training.first_trainable_layer = {prefix!r}; expected the "
            "beginning of a layer's name, or null to train all layers. Choose from: "
            f"{', '.join(names)}."
        )
    pretrained = parameters.weights != RANDOM_WEIGHTS
    for number, layer in enumerate(network.layers):
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = number >= found[0] and not (pretrained and normalises)


def interpolate_weights(
    network: keras.Model, pretrained: Sequence[np.ndarray], share: float
) -> None:
    """Interpolate in place between pretrained and fine-tuned weights (WiSE-FT).

    Source: Wortsman et al.: Robust Fine-Tuning of Zero-Shot Models, 2022.

    Args:
        network: Fine-tuned network.
        pretrained: Weights of the network before the training.
        share: Share of the fine-tuned weights: 0 = pretrained, 1 = fine-tuned.
    """
    pairs = zip(pretrained, network.get_weights(), strict=True)
    network.set_weights([old + share * (new - old) for old, new in pairs])


def embed(model: keras.Model, images: Sequence[bytes]) -> np.ndarray:
    """Return the features of photos, `float32 [n, width]`.

    Args:
        model: Network from pixels to features.
        images: Canonical photos; their central square is used.
    """
    size = model.input_shape[1]
    batches = (
        np.array(
            [fit(image, size, "crop") for image in images[i : i + EMBEDDING_BATCH]]
        )
        for i in range(0, len(images), EMBEDDING_BATCH)
    )
    return np.concatenate([model.predict_on_batch(batch) for batch in batches])
