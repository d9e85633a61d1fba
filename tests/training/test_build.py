"""Backbones are built with the real TensorFlow: a few, small and shared."""

import hashlib
import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import jpeg

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.photos import canonicalise, fit
from fruits_pipeline.models.backbones import Backbone, Card
from fruits_pipeline.parameters import BackboneParameters
from fruits_pipeline.training import build as keras_backbones
from fruits_pipeline.training import litert_export as keras_litert
from fruits_pipeline.training.build import _digest, _train, build
from fruits_pipeline.training.data import TrainingPhotos
from fruits_pipeline.training.litert_export import TOLERANCE
from fruits_pipeline.training.networks import (
    build_network,
    with_inner_layers,
    with_scaling,
)

H5 = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"


TRAINING = {
    "epochs": 1,
    "steps": 2,
    "photos_per_step": 4,
    "learning_rate": 0.001,
    "first_trainable_layer": None,
    "weight_interpolation": 1.0,
}
SMALLEST = {
    "architecture": "MobileNet",
    "arguments": {"alpha": 0.25},
    "inner_layers": [],
    "input_size": 32,
    "weights": "random",
}
TEACHER = SMALLEST | {"input_size": 48, "weight": 0.0}
SPLITS = {"splits": ["Training"], "held_out_labels": [], "held_out_series": None}


def parameters(training: Mapping[str, Any] | None = None, **changes: Any) -> Any:
    """Return parameters of the smallest backbones that Keras builds."""
    rest = {"seed": 360, "checkpoints": "nowhere", "photos": SPLITS, "teacher": TEACHER}
    some = {"training": TRAINING | dict(training or {})}
    return BackboneParameters(**(SMALLEST | rest | some | changes))


def of_imagenet(
    shared: Path, training: Mapping[str, Any] | None = None, **changes: Any
) -> Any:
    """Return parameters of MobileNetV2 with ImageNet's weights from a file."""
    some = {"architecture": "MobileNetV2", "arguments": {"alpha": 0.35}}
    weights = str(shared / "keras/models" / H5)
    return parameters(training, weights=weights, **(some | changes))


@pytest.fixture(scope="module")
def keras() -> Any:
    pytest.importorskip("tensorflow", reason="building a backbone needs TensorFlow")
    return pytest.importorskip("keras")


@pytest.fixture(scope="module")
def teaching(keras: Any) -> Any:
    return importlib.import_module("fruits_pipeline.training.distillation")


@pytest.fixture(scope="module")
def shared() -> Path:
    if "FRUITS_SHARED" not in os.environ:
        pytest.skip("FRUITS_SHARED is not set: this needs real photos and weights")
    return Path(os.environ["FRUITS_SHARED"])


@pytest.fixture(scope="module")
def from_file(keras: Any, shared: Path) -> Backbone:
    """MobileNetV2 at 96 px, with ImageNet weights from a file."""
    return build(of_imagenet(shared, input_size=96), *NOTHING)[0]


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


IMAGES = [jpeg(seed) for seed in range(8)]
LABELS = ["Apple", "Pear"] * 4
INNER = "conv_pw_5_relu"
NOTHING: tuple[list[bytes], list[str]] = ([], [])


@pytest.fixture(scope="module", params=[0.0, 0.5], ids=["alone", "taught"])
def trained(
    keras: Any, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Backbone, list[dict[str, float]]]:
    folder = str(tmp_path_factory.mktemp("checkpoints"))
    teacher = TEACHER | {"weight": request.param}
    more = {"checkpoints": folder, "teacher": teacher, "inner_layers": [INNER]}
    some = parameters({"epochs": 2}, **more)
    return build(some, IMAGES, LABELS)


def test_the_card_says_what_was_trained_on_what(
    trained: tuple[Backbone, list[dict[str, float]]], request: pytest.FixtureRequest
) -> None:
    backbone, history = trained
    training = dict(backbone.card.training)
    assert (training["photos"], training["labels"], training["seed"]) == (8, 2, 360)
    assert (training["epochs"], training["splits"]) == (2, ["Training"])
    assert "checkpoints" not in training
    assert training["last_epoch"].keys() == history[-1].keys()
    taught = request.node.callspec.params["trained"] > 0
    assert ("teacher" in training) is taught
    assert ({"copied_loss", "alike_loss"} <= history[-1].keys()) is taught
    assert (backbone.card.weights, backbone.card.width) == ("random", 256 + 64)
    assert backbone.card.inner_layers == [INNER]


def test_a_training_has_curves(
    trained: tuple[Backbone, list[dict[str, float]]],
) -> None:
    _, history = trained
    assert len(history) == 2
    assert any("accuracy" in name for name in history[0])


def test_a_trained_backbone_is_not_the_random_one_that_it_was(
    keras: Any, trained: tuple[Backbone, list[dict[str, float]]]
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
    (after,) = trained[0].embed([pixels])
    assert np.abs(after[:256] - before).max() > 1e-6


def test_statistics_of_batches_stay_where_weights_are_known(
    keras: Any, shared: Path, tmp_path: Path
) -> None:
    known = of_imagenet(shared)
    network = build_network(known)
    before = {layer.name: layer.get_weights() for layer in network.layers}
    _train(network, TrainingPhotos(IMAGES, LABELS), known, tmp_path)
    for layer in network.layers:
        pairs = zip(before[layer.name], layer.get_weights(), strict=True)
        same = all(np.array_equal(old, new) for old, new in pairs)
        of_batches = isinstance(layer, keras.layers.BatchNormalization)
        assert same is (of_batches or not layer.get_weights()), layer.name


def test_a_training_begins_with_what_the_features_tell_already(
    keras: Any, shared: Path, tmp_path: Path
) -> None:
    still = of_imagenet(shared, {"learning_rate": 1e-9, "steps": 8}, input_size=96)
    images = every_nth(shared / "fruits-360/Training/Avocado", "*.jpg", 20)
    images += every_nth(shared / "fruits-360/Training/Lemon", "*.jpg", 20)
    photos = TrainingPhotos(images, ["Avocado"] * 20 + ["Lemon"] * 20)
    (epoch,) = _train(build_network(still), photos, still, tmp_path)
    assert epoch["accuracy"] > 0.8


def test_a_teacher_is_asked_once(
    teaching: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = parameters(teacher=TEACHER | {"weight": 0.5}).teacher
    photos = TrainingPhotos(IMAGES, LABELS)
    first = teaching.taught(photos, teacher, tmp_path)
    monkeypatch.delattr(teaching, "to_backbone")
    again = teaching.taught(photos, teacher, tmp_path)
    assert first.targets is not None
    assert again.targets is not None
    assert len(first.targets.seen) == len(IMAGES)
    np.testing.assert_array_equal(first.targets.seen, again.targets.seen)


def test_without_weight_there_is_no_teacher(teaching: Any, tmp_path: Path) -> None:
    photos = TrainingPhotos(IMAGES, LABELS)
    assert teaching.taught(photos, parameters().teacher, tmp_path) is photos


def test_layers_before_the_first_to_train_stay(keras: Any, tmp_path: Path) -> None:
    keras.utils.set_random_seed(360)
    network = build_network(parameters())
    before = {layer.name: layer.get_weights() for layer in network.layers}
    some = parameters({"first_trainable_layer": "conv_dw_5"})
    _train(network, TrainingPhotos(IMAGES, LABELS), some, tmp_path)
    changed = {
        layer.name
        for layer in network.layers
        for old, new in zip(before[layer.name], layer.get_weights(), strict=True)
        if not np.array_equal(old, new)
    }
    assert {"conv_dw_5", "conv_pw_13"} <= changed
    assert not changed & {"conv1", "conv_dw_1", "conv_pw_4"}


def test_a_layer_that_is_not_there_is_refused_with_all_there_are(keras: Any) -> None:
    some = parameters({"first_trainable_layer": "block_99"})
    with pytest.raises(FruitsError) as caught:
        build(some, IMAGES, LABELS)
    words = str(caught.value)
    assert words.startswith("Found backbone.training.first_trainable_layer = 'block_99'")
    assert "conv_dw_5, " in words


def test_means_of_inner_layers_come_after_the_features_of_the_last(keras: Any) -> None:
    keras.utils.set_random_seed(360)
    names = [INNER, "conv_pw_2"]
    network = build_network(parameters())
    maps = [network.get_layer(name).output for name in names]
    whole = keras.Model(network.inputs, [*network.outputs, *maps])
    pixels = np.random.default_rng(0).uniform(-1, 1, (3, 32, 32, 3))
    last, *seen = whole.predict(pixels, verbose=0)
    found = with_inner_layers(network, names).predict(pixels, verbose=0)
    means = [each.mean(axis=(1, 2)) for each in seen]
    np.testing.assert_allclose(found, np.concatenate([last, *means], 1), atol=1e-5)


@pytest.mark.parametrize("name", ["block_99", "global_average_pooling2d"])
def test_an_inner_layer_without_a_map_is_refused_before_a_training(
    keras: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delattr(keras_backbones, "_train")
    with pytest.raises(FruitsError) as caught:
        build(parameters(inner_layers=[name]), IMAGES, LABELS)
    words = str(caught.value)
    assert words.startswith(f"Found backbone.inner_layers = ['{name}']; expected")
    assert "conv_pw_5_relu, " in words


def test_the_weights_that_are_kept_lie_on_the_way_to_those_trained(
    keras: Any, shared: Path, tmp_path: Path
) -> None:
    kept = []
    for mixing in (1.0, 0.25):
        some = of_imagenet(shared, {"weight_interpolation": mixing})
        network = build_network(some)
        begun = network.get_weights()
        _train(network, TrainingPhotos(IMAGES, LABELS), some, tmp_path)
        kept.append(network.get_weights())
    for old, new, between in zip(begun, *kept, strict=True):
        np.testing.assert_allclose(between, old + (new - old) / 4, atol=1e-6)
    assert any((old != new).any() for old, new in zip(begun, kept[0], strict=True))


def test_what_is_done_with_trained_weights_needs_no_training_again() -> None:
    given = IMAGES, LABELS
    some = parameters()
    after = parameters({"weight_interpolation": 0.5}, inner_layers=[INNER])
    assert _digest(after, *given) == _digest(some, *given)
    assert _digest(parameters({"epochs": 2}), *given) != _digest(some, *given)


def pooling_network(keras: Any, filters: int = 0) -> Any:
    """Return the mean colour of scaled pixels, or of a convolution of them."""
    layers = [keras.layers.Conv2D(filters, 3)] if filters else []
    pooled = keras.layers.GlobalAveragePooling2D()
    return keras.Sequential([keras.Input((32, 32, 3)), *layers, pooled])


def scaled_only(keras: Any, architecture: str) -> tuple[Any, Backbone]:
    """Return a backbone of nothing but an architecture's scaling, and Keras' own."""
    some = parameters(architecture=architecture, arguments={})
    model = with_scaling(pooling_network(keras), some, 1)
    content = keras_litert._convert(model)
    card = Card(
        architecture=architecture,
        arguments={},
        inner_layers=[],
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
    keras_litert._check_same(model, backbone)
    other = parameters(architecture="VGG16", arguments={})
    unlike = with_scaling(pooling_network(keras), other, 1)
    with pytest.raises(FruitsError, match="This model does not convert"):
        keras_litert._check_same(unlike, backbone)


def complaint(wrong: BackboneParameters) -> str:
    with pytest.raises(FruitsError) as caught:
        build(wrong, *NOTHING)
    return str(caught.value)


def assert_names_three_ways(words: str) -> None:
    assert words.startswith("Found no weights for backbone.architecture = ")
    assert "set backbone.weights to imagenet" in words
    assert "set it to a weights file" in words
    assert "set it to random and backbone.training.epochs to more than 0" in words
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


def test_random_weights_that_nothing_trains_are_refused(keras: Any) -> None:
    words = complaint(parameters(weights="random"))
    assert_names_three_ways(words)
    assert "random weights that nothing trains" in words


@pytest.mark.parametrize("name", ["MobileNetV9", "mobilenet_v2", "vgg16", ""])
def test_an_unknown_architecture_is_answered_with_all_there_are(
    keras: Any, name: str
) -> None:
    words = complaint(parameters(architecture=name, weights="imagenet"))
    assert words.startswith(f"Found backbone.architecture = {name!r}; expected one of ")
    assert "MobileNetV2, " in words
    assert "parameters_backbone.yml" in words


@pytest.mark.parametrize("missing", ["tensorflow", "keras"])
def test_without_tensorflow_the_error_says_how_to_install_it(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    words = complaint(parameters())
    assert words.startswith(f"Found no {missing}; expected TensorFlow")
    assert "`pip install fruits-pipeline[keras]`" in words
    assert "the backbone that the project ships" in words
