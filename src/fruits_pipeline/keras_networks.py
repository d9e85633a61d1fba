"""Networks of `keras.applications`, from scaled pixels to features, and their scaling."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parameters import NetworkParameters

if TYPE_CHECKING:
    import keras

RANDOM = "random"
"""Instead of weights: initialised by chance."""


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

    Its batch normalisation stays as it is, in training too.

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
    return keras.Model(pixels, network(Scaling()(pixels), training=False))
