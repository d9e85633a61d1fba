"""Networks of `keras.applications`, from scaled pixels to features, and their scaling."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.photos import fit
from fruits_pipeline.parameters import BackboneParameters, NetworkParameters

if TYPE_CHECKING:
    import keras

RANDOM = "random"
"""Instead of weights: initialised by chance."""

SEEN_AT_ONCE = 64

MAP_RANK = 4
"""Axes of a map: photo, height, width, channel."""


def _application(name: str) -> Callable[..., keras.Model]:
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
    """Return a network from scaled pixels to pooled features, with its weights.

    Raises:
        FruitsError: There is no such architecture, or no such weights.
    """
    size = parameters.input_size
    weights = None if parameters.weights == RANDOM else parameters.weights
    try:
        return _application(parameters.architecture)(
            input_shape=(size, size, 3),
            include_top=False,
            pooling="avg",
            weights=weights,
            **parameters.arguments,
        )
    except FruitsError:
        raise
    except Exception as exc:  # a download, a file or Keras' own checks of arguments
        raise no_weights(parameters, str(exc)) from exc


def with_inner_layers(network: keras.Model, names: Sequence[str]) -> keras.Model:
    """Return a network whose features are the means of inner layers' maps as well.

    The last layer knows what a thing is, those before it how it looks (after Evci et al.,
    2022, "Head2Toe: Utilizing intermediate representations for better transfer learning").

    Args:
        network: From scaled pixels to features, which come first.
        names: Of the layers, whose means follow; none leaves the network as it is.

    Raises:
        FruitsError: There is no such layer, or it has no map.
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
            f"with a map, [] for none: {', '.join(maps)}."
        )
    if not names:
        return network
    means = [keras.layers.GlobalAveragePooling2D()(maps[name]) for name in names]
    features = keras.layers.Concatenate()([*network.outputs, *means])
    return keras.Model(network.inputs, features)


def freeze(network: keras.Model, parameters: BackboneParameters) -> None:
    """Leave the layers before the first to train as they are.

    So are the statistics of batches, unless the weights are random: those of a training,
    half studio and half shops, fit neither.

    Raises:
        FruitsError: There is no such layer.
    """
    import keras

    first = parameters.training.first_trainable_layer or ""
    names = [layer.name for layer in network.layers]
    found = [number for number, name in enumerate(names) if name.startswith(first)]
    if not found:
        raise FruitsError(
            f"Found backbone.training.first_trainable_layer = {first!r}; expected the "
            f"beginning of a layer's name, null to train all: {', '.join(names)}."
        )
    known = parameters.weights != RANDOM
    for number, layer in enumerate(network.layers):
        of_batches = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = number >= found[0] and not (known and of_batches)


def mix(network: keras.Model, begun: Sequence[np.ndarray], mixing: float) -> None:
    """Leave a network between the weights it began with and those it has (Wortsman et
    al., 2022, "Robust fine-tuning of zero-shot models").

    Args:
        network: Trained.
        begun: Weights that its training began with.
        mixing: Share of the way from those, 0 to 1.
    """
    pairs = zip(begun, network.get_weights(), strict=True)
    network.set_weights([old + mixing * (new - old) for old, new in pairs])


def no_weights(parameters: NetworkParameters, found: str) -> FruitsError:
    """Return an error that says what was found, and three ways to weights."""
    return FruitsError(
        f"Found no weights for backbone.architecture = {parameters.architecture} with "
        f"{parameters.arguments}: {found}. There are three ways to get them: set "
        "backbone.weights to imagenet, and let Keras download them or find them in "
        "its cache; set it to a weights file; or set it to random and "
        "backbone.training.epochs to more than 0, to train them. Or use the backbone that "
        "the project ships."
    )


def with_scaling(
    network: keras.Model, parameters: NetworkParameters, photos: int | None = None
) -> keras.Model:
    """Return a network from plain pixels, `uint8` of 0 to 255, to features.

    Args:
        network: From scaled pixels.
        parameters: Of that network.
        photos: In a batch; None for any number.
    """
    import keras

    module = importlib.import_module(_application(parameters.architecture).__module__)

    class Scaling(keras.layers.Layer):  # type: ignore[misc]
        def call(self, pixels: Any) -> Any:
            return module.preprocess_input(keras.ops.cast(pixels, "float32"))

    shape = (parameters.input_size, parameters.input_size, 3)
    pixels = keras.Input(shape, batch_size=photos, dtype="uint8")
    return keras.Model(pixels, network(Scaling()(pixels)))


def features_of(model: keras.Model, images: Sequence[bytes]) -> np.ndarray:
    """Return what a network sees in photos, `float32 [n, width]`.

    Args:
        model: From plain pixels to features.
        images: Canonical photos; of one that is not square, the middle is seen.
    """
    size = model.input_shape[1]
    shares = (
        images[first : first + SEEN_AT_ONCE]
        for first in range(0, len(images), SEEN_AT_ONCE)
    )
    pixels = (np.array([fit(image, size, "crop") for image in s]) for s in shares)
    return np.concatenate([model.predict_on_batch(share) for share in pixels])
