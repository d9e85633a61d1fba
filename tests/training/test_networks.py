import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backbone_factory import backbone_parameters

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parameters import BackboneParameters
from fruits_pipeline.training.networks import add_inner_layers, build_network

keras = pytest.importorskip("keras", reason="building a network needs TensorFlow")


def weights_message(parameters: BackboneParameters) -> str:
    """Return the error message for missing weights, after checking its suggestions."""
    with pytest.raises(FruitsError) as error:
        build_network(parameters)
    message = str(error.value)
    assert message.startswith("Found no weights for backbone.architecture = ")
    assert "set backbone.weights to imagenet" in message
    assert "set it to a weights file" in message
    assert "set it to random and backbone.training.epochs to more than 0" in message
    assert "the backbone that the project ships" in message
    return message


def test_weights_of_another_architecture_are_rejected(imagenet: dict[str, Any]) -> None:
    weights_message(backbone_parameters(weights=imagenet["weights"]))


def test_file_without_weights_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "weights.h5"
    file.write_bytes(b"not HDF5")
    weights_message(backbone_parameters(weights=str(file)))


def test_failed_download_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = importlib.import_module("keras.src.backend.config")
    module = importlib.import_module(keras.applications.MobileNet.__module__)
    # Keras reads the environment variable KERAS_HOME only when it is imported.
    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))
    monkeypatch.setattr(module, "BASE_WEIGHT_PATH", "http://127.0.0.1:9/")
    parameters = backbone_parameters(weights="imagenet", input_size=128)
    assert "127.0.0.1" in weights_message(parameters)


@pytest.mark.parametrize("name", ["MobileNetV9", "mobilenet_v2", "vgg16", ""])
def test_unknown_architecture_is_rejected(name: str) -> None:
    with pytest.raises(FruitsError) as error:
        build_network(backbone_parameters(architecture=name, weights="imagenet"))
    message = str(error.value)
    expected = f"Found backbone.architecture = {name!r}; expected one of "
    assert message.startswith(expected)
    assert "MobileNetV2, " in message
    assert "parameters_backbone.yml" in message


def test_means_of_inner_layers_follow_the_last_features() -> None:
    keras.utils.set_random_seed(360)
    names = ["conv_pw_5_relu", "conv_pw_2"]
    network = build_network(backbone_parameters())
    maps = [network.get_layer(name).output for name in names]
    outputs = keras.Model(network.inputs, [*network.outputs, *maps])
    pixels = np.random.default_rng(0).uniform(-1, 1, (3, 32, 32, 3))
    last, *inner = outputs.predict(pixels, verbose=0)
    found = add_inner_layers(network, names).predict(pixels, verbose=0)
    means = [values.mean(axis=(1, 2)) for values in inner]
    np.testing.assert_allclose(found, np.concatenate([last, *means], 1), atol=1e-5)
