"""Backbones are built with the real TensorFlow: a few, small and shared."""

import hashlib
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import jpeg

from fruits_pipeline import keras_backbones
from fruits_pipeline.backbones import Backbone, Card
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.keras_backbones import TOLERANCE, TrainingPhotos, build
from fruits_pipeline.parameters import BackboneParameters
from fruits_pipeline.photos import canonicalise, fit

H5 = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"


def parameters(**changes: Any) -> BackboneParameters:
    """Return parameters of the smallest backbones that Keras builds."""
    smallest = {
        "architecture": "MobileNet",
        "arguments": {"alpha": 0.25},
        "input_size": 32,
        "weights": "random",
        "epochs": 0,
        "head_epochs": 0,
        "photos_per_step": 4,
        "learning_rate": 0.001,
        "training_split": "Training",
        "seed": 360,
    }
    return BackboneParameters(**(smallest | changes))


@pytest.fixture(scope="module")
def keras() -> Any:
    pytest.importorskip("tensorflow", reason="building a backbone needs TensorFlow")
    return pytest.importorskip("keras")


@pytest.fixture(scope="module")
def shared() -> Path:
    if "FRUITS_SHARED" not in os.environ:
        pytest.skip("FRUITS_SHARED is not set: this needs real photos and weights")
    return Path(os.environ["FRUITS_SHARED"])


@pytest.fixture(scope="module")
def from_file(keras: Any, shared: Path) -> Backbone:
    """MobileNetV2 at 96 px, with ImageNet weights from a file."""
    weights = str(shared / "keras/models" / H5)
    arguments = {"alpha": 0.35}
    return build(
        parameters(
            architecture="MobileNetV2",
            arguments=arguments,
            input_size=96,
            weights=weights,
        ),
        None,
    )


def every_nth(folder: Path, pattern: str, photos: int) -> list[bytes]:
    files = sorted(folder.rglob(pattern))
    return [file.read_bytes() for file in files[:: len(files) // photos][:photos]]


def test_features_of_real_photos_are_those_of_keras(
    keras: Any, shared: Path, from_file: Backbone
) -> None:
    contents = every_nth(shared / "fruits-360", "*.jpg", 40)
    contents += every_nth(shared / "grocery", "*.jpg", 24)
    images = [canonicalise(content, 256, 10_000_000).image for content in contents]
    pixels = np.stack([fit(image or b"", 96, "pad") for image in images])
    network = keras.applications.MobileNetV2(
        input_shape=(96, 96, 3),
        alpha=0.35,
        include_top=False,
        pooling="avg",
        weights=str(shared / "keras/models" / H5),
    )
    scaled = keras.applications.mobilenet_v2.preprocess_input(pixels.astype("float32"))
    expected = network.predict(scaled, verbose=0)
    found = np.array([*from_file.embed(pixels)])
    assert found.shape == (64, 1280)
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)
    assert expected.std(axis=0).max() > 100 * TOLERANCE


def test_the_card_says_what_the_file_is(keras: Any, from_file: Backbone) -> None:
    card = from_file.card
    assert (card.architecture, card.arguments) == ("MobileNetV2", {"alpha": 0.35})
    assert (card.input_size, card.width) == (96, 1280)
    assert card.weights == H5
    assert card.training == {}
    assert card.versions["keras"] == keras.__version__
    assert card.sha256 == hashlib.sha256(from_file.model).hexdigest()


def labelled() -> TrainingPhotos:
    return TrainingPhotos([jpeg(seed) for seed in range(8)], ["Apple", "Pear"] * 4)


@pytest.fixture(scope="module")
def trained(keras: Any) -> Backbone:
    return build(parameters(epochs=1), labelled())


def test_the_card_says_what_was_trained_on_what(trained: Backbone) -> None:
    training = dict(trained.card.training)
    assert 0 <= training.pop("accuracy") <= 1
    assert training == {
        "photos": 8,
        "labels": 2,
        "split": "Training",
        "head_epochs": 0,
        "epochs": 1,
    }
    assert (trained.card.weights, trained.card.width) == ("random", 256)


def test_a_trained_backbone_is_not_the_random_one_that_it_was(
    keras: Any, trained: Backbone
) -> None:
    keras.utils.set_random_seed(360)
    network = keras.applications.MobileNet(
        input_shape=(32, 32, 3),
        alpha=0.25,
        include_top=False,
        pooling="avg",
        weights=None,
    )
    pixels = fit(jpeg(0), 32, "pad")
    before = network.predict(pixels[np.newaxis] / 127.5 - 1, verbose=0)
    (after,) = trained.embed([pixels])
    assert np.abs(after - before).max() > 1e-3


@pytest.mark.parametrize(("epochs", "changes"), [(0, False), (1, True)])
def test_only_epochs_of_the_whole_change_the_network(
    keras: Any, epochs: int, changes: bool
) -> None:
    keras.utils.set_random_seed(360)
    network = pooling_network(keras, filters=2)
    before = [weights.copy() for weights in network.get_weights()]
    some = parameters(head_epochs=1, epochs=epochs, learning_rate=0.1)
    training = keras_backbones._train(network, labelled(), some)
    assert (training["head_epochs"], training["epochs"]) == (1, epochs)
    after = network.get_weights()
    same = [np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert all(same) is not changes


def pooling_network(keras: Any, filters: int = 0) -> Any:
    """Return the mean colour of scaled pixels, or of a convolution of them."""
    layers = [keras.layers.Conv2D(filters, 3)] if filters else []
    pooled = keras.layers.GlobalAveragePooling2D()
    return keras.Sequential([keras.Input((32, 32, 3)), *layers, pooled])


def scaled_only(keras: Any, architecture: str) -> tuple[Any, Backbone]:
    """Return a backbone of nothing but an architecture's scaling, and Keras' own."""
    some = parameters(architecture=architecture, arguments={})
    model = keras_backbones._with_scaling(pooling_network(keras), some)
    content = keras_backbones._convert(model)
    card = Card(
        architecture=architecture,
        arguments={},
        input_size=32,
        width=3,
        weights="none",
        training={},
        versions={},
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return model, Backbone(content, card)


@pytest.mark.parametrize(
    ("architecture", "module", "scaled"),
    [
        ("MobileNetV2", "mobilenet_v2", [10 / 127.5 - 1, 90 / 127.5 - 1, 1]),
        ("VGG16", "vgg16", [255 - 103.939, 90 - 116.779, 10 - 123.68]),
        (
            "DenseNet121",
            "densenet",
            [
                (10 / 255 - 0.485) / 0.229,
                (90 / 255 - 0.456) / 0.224,
                (1 - 0.406) / 0.225,
            ],
        ),
        ("EfficientNetB0", "efficientnet", [10, 90, 255]),
    ],
)
def test_the_scaling_of_each_architecture_is_inside_its_file(
    keras: Any, architecture: str, module: str, scaled: list[float]
) -> None:
    _, backbone = scaled_only(keras, architecture)
    pixels = np.full((32, 32, 3), (10, 90, 255), np.uint8)
    (found,) = backbone.embed([pixels])
    np.testing.assert_allclose(found, scaled, rtol=1e-4)
    theirs = importlib.import_module(f"keras.applications.{module}")
    expected = theirs.preprocess_input(pixels.astype(np.float32))[0, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_file_that_has_lost_its_scaling_is_refused(keras: Any) -> None:
    model, backbone = scaled_only(keras, "MobileNetV2")
    keras_backbones._check_same(model, backbone)
    other = parameters(architecture="VGG16", arguments={})
    unlike = keras_backbones._with_scaling(pooling_network(keras), other)
    with pytest.raises(FruitsError, match="This model does not convert"):
        keras_backbones._check_same(unlike, backbone)


def complaint(wrong: BackboneParameters) -> str:
    with pytest.raises(FruitsError) as caught:
        build(wrong, None)
    return str(caught.value)


def assert_names_three_ways(words: str) -> None:
    assert words.startswith("Found no weights for backbone.architecture = ")
    assert "set backbone.weights to imagenet" in words
    assert "set it to a weights file" in words
    assert "set it to random and backbone.epochs to more than 0" in words
    assert "the backbone that the project ships" in words


def test_a_missing_weights_file_is_an_error_that_names_three_ways(keras: Any) -> None:
    words = complaint(parameters(weights="/nonexistent/weights.h5"))
    assert_names_three_ways(words)


def test_weights_of_another_architecture_are_an_error_that_names_three_ways(
    keras: Any, shared: Path
) -> None:
    mobilenet_v2 = shared / "keras/models" / H5
    assert_names_three_ways(complaint(parameters(weights=str(mobilenet_v2))))


def test_a_file_without_weights_is_an_error_that_names_three_ways(
    keras: Any, tmp_path: Path
) -> None:
    file = tmp_path / "weights.h5"
    file.write_bytes(b"not HDF5")
    assert_names_three_ways(complaint(parameters(weights=str(file))))


def test_imagenet_without_a_network_is_an_error_that_names_three_ways(
    keras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = importlib.import_module("keras.src.backend.config")
    module = importlib.import_module(keras.applications.MobileNet.__module__)
    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))  # KERAS_HOME, read once
    monkeypatch.setattr(module, "BASE_WEIGHT_PATH", "http://127.0.0.1:9/")
    size = 128
    words = complaint(parameters(weights="imagenet", input_size=size))
    assert_names_three_ways(words)
    assert "127.0.0.1" in words


@pytest.mark.parametrize("head_epochs", [0, 1])
def test_random_weights_that_nothing_trains_are_refused(
    keras: Any, head_epochs: int
) -> None:
    words = complaint(parameters(weights="random", head_epochs=head_epochs))
    assert_names_three_ways(words)
    assert "random weights that nothing trains" in words


@pytest.mark.parametrize("name", ["MobileNetV9", "mobilenet_v2", "vgg16", ""])
def test_an_unknown_architecture_is_answered_with_all_there_are(
    keras: Any, name: str
) -> None:
    words = complaint(parameters(architecture=name, epochs=1))
    assert words.startswith(f"Found backbone.architecture = {name!r}; expected one of ")
    assert "MobileNetV2, " in words
    assert "parameters_backbone.yml" in words


@pytest.mark.parametrize("missing", ["tensorflow", "keras"])
def test_without_tensorflow_the_error_says_how_to_install_it(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    words = complaint(parameters(epochs=1))
    assert words.startswith(f"Found no {missing}; expected TensorFlow")
    assert "`pip install fruits-pipeline[keras]`" in words
    assert "the backbone that the project ships" in words
