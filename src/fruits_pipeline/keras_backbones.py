"""Build a backbone with Keras: any model of `keras.applications`, to LiteRT.

The only module that needs TensorFlow, which `pip install fruits-pipeline[keras]`
brings; nothing of it is needed to run a backbone.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from fruits_pipeline.backbones import Backbone, Card
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parameters import BackboneParameters
from fruits_pipeline.photos import fit

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

TOLERANCE = 1e-3
"""Largest difference between Keras' features and LiteRT's."""

SHAKE = 0.1
"""Photos in training are turned, lit and shifted by up to this share."""


@dataclass(frozen=True)
class TrainingPhotos:
    """Photos to train on.

    Attributes:
        images: Canonical photos.
        labels: Of each of them.
    """

    images: list[bytes]
    labels: list[str]


def build(parameters: BackboneParameters, photos: TrainingPhotos | None) -> Backbone:
    """Build, train where there is something to train on, and convert to LiteRT.

    Args:
        parameters: Of the stage backbone.
        photos: To train on; None trains nothing.

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
    keras.utils.set_random_seed(parameters.seed)
    network = _network(parameters)
    training = _train(network, photos, parameters) if photos else {}
    model = _with_scaling(network, parameters)
    content = _convert(model)
    card = Card(
        architecture=parameters.architecture,
        arguments=parameters.arguments,
        input_size=parameters.input_size,
        width=model.output_shape[-1],
        weights=parameters.weights.rpartition("/")[-1],
        training=training,
        versions={"keras": keras.__version__, "tensorflow": tf.__version__},
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


def _network(parameters: BackboneParameters) -> keras.Model:
    """Return the model from scaled pixels to pooled features, with its weights."""
    size = parameters.input_size
    weights = None if parameters.weights == "random" else parameters.weights
    if weights is None and not parameters.epochs:
        raise _no_weights(parameters, "random weights that nothing trains")
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
        raise _no_weights(parameters, str(exc)) from exc


def _no_weights(parameters: BackboneParameters, found: str) -> FruitsError:
    return FruitsError(
        f"Found no weights for backbone.architecture = {parameters.architecture} with "
        f"{parameters.arguments}: {found}. There are three ways to get them: set "
        "backbone.weights to imagenet, and let Keras download them or find them in "
        "its cache; set it to a weights file; or set it to random and backbone.epochs "
        "to more than 0, to train them. Or use the backbone that the project ships."
    )


def _scaling(parameters: BackboneParameters) -> keras.layers.Layer:
    """Return the architecture's own scaling of pixels, as a layer."""
    import keras

    module = importlib.import_module(_application(parameters.architecture).__module__)

    class Scaling(keras.layers.Layer):  # type: ignore[misc]
        def call(self, pixels: Any) -> Any:
            return module.preprocess_input(keras.ops.cast(pixels, "float32"))

    return Scaling()


def _with_scaling(network: keras.Model, parameters: BackboneParameters) -> keras.Model:
    """Return the network from plain pixels to features."""
    import keras

    shape = (parameters.input_size, parameters.input_size, 3)
    pixels = keras.Input(shape, batch_size=1, dtype="uint8")
    return keras.Model(pixels, network(_scaling(parameters)(pixels), training=False))


def _train(
    network: keras.Model, photos: TrainingPhotos, parameters: BackboneParameters
) -> dict[str, Any]:
    """Fit a classifier on the features, first alone, then with the network."""
    names = sorted(set(photos.labels))
    targets = np.array([names.index(label) for label in photos.labels])
    size = parameters.input_size
    pixels = np.stack([fit(image, size, "pad") for image in photos.images])
    classifier = _classifier(network, len(names), parameters)
    logs: dict[str, float] = {}
    for trainable, epochs in (
        (False, parameters.head_epochs),
        (True, parameters.epochs),
    ):
        if epochs:
            network.trainable = trainable
            logs = _fit(classifier, pixels, targets, epochs, parameters)
    return {
        "photos": len(targets),
        "labels": len(names),
        "split": parameters.training_split,
        "head_epochs": parameters.head_epochs,
        "epochs": parameters.epochs,
        "accuracy": round(logs["accuracy"], 4),
    }


def _classifier(
    network: keras.Model, labels: int, parameters: BackboneParameters
) -> keras.Model:
    """Return the network with a head, and photos shaken on their way in."""
    import keras

    layers = keras.layers
    pixels = keras.Input((parameters.input_size, parameters.input_size, 3))
    shaken = layers.RandomFlip("horizontal_and_vertical")(pixels)
    shaken = layers.RandomRotation(SHAKE, fill_mode="nearest")(shaken)
    shaken = layers.RandomBrightness(SHAKE)(shaken)
    features = network(_scaling(parameters)(shaken), training=False)
    head = layers.Dense(labels, activation="softmax")(layers.Dropout(0.2)(features))
    return keras.Model(pixels, head)


def _fit(
    classifier: keras.Model,
    pixels: np.ndarray,
    targets: np.ndarray,
    epochs: int,
    parameters: BackboneParameters,
) -> dict[str, float]:
    import keras

    classifier.compile(
        keras.optimizers.Adam(parameters.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = classifier.fit(
        *(pixels, targets),
        epochs=epochs,
        batch_size=parameters.photos_per_step,
        verbose=2,
    )
    return {name: values[-1] for name, values in history.history.items()}
