import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backbone_factory import IMAGES, LABELS, TEACHER, backbone_parameters

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.fitting import fit
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.training.build import build_backbone, fine_tune
from fruits_pipeline.training.data import TrainingPhotos
from fruits_pipeline.training.networks import build_network

keras = pytest.importorskip("keras", reason="building a backbone needs TensorFlow")

PHOTOS = TrainingPhotos(IMAGES, LABELS)
INNER = "conv_pw_5_relu"

IGNORE_EAGER_WARNINGS = pytest.mark.filterwarnings(
    "ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning",
    "ignore:The structure of `inputs` doesn't match:UserWarning",
)

Trained = tuple[Backbone, list[dict[str, float]]]


@pytest.fixture(scope="module", params=[0.0, 0.5], ids=["alone", "distilled"])
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    parameters = backbone_parameters(
        {"epochs": 2},
        checkpoints=str(tmp_path_factory.mktemp("checkpoints")),
        teacher=TEACHER | {"weight": request.param},
        inner_layers=[INNER],
    )
    return build_backbone(parameters, IMAGES, LABELS)


def test_card_and_history_describe_the_training(
    trained: Trained, request: pytest.FixtureRequest
) -> None:
    backbone, history = trained
    training = dict(backbone.card.training)
    assert (training["photos"], training["labels"], training["seed"]) == (8, 2, 360)
    assert (training["epochs"], training["splits"]) == (2, ["Training", "train"])
    assert "checkpoints" not in training
    assert len(history) == 2
    assert any("accuracy" in name for name in history[0])
    assert training["last_epoch"].keys() == history[-1].keys()
    distilled = request.node.callspec.params["trained"] > 0
    assert ("teacher" in training) is distilled
    assert ({"copied_loss", "alike_loss"} <= history[-1].keys()) is distilled
    assert (backbone.card.weights, backbone.card.width) == ("random", 256 + 64)
    assert backbone.card.inner_layers == [INNER]


def test_training_changes_features(trained: Trained) -> None:
    keras.utils.set_random_seed(360)
    network = keras.applications.MobileNet(
        input_shape=(32, 32, 3),
        alpha=0.25,
        include_top=False,
        pooling="avg",
        weights=None,
    )
    pixels = fit(IMAGES[0], 32, "pad")
    before = network.predict(pixels[np.newaxis] / 127.5 - 1, verbose=0)
    (after,) = trained[0].embed([pixels])
    assert np.abs(after[:256] - before).max() > 1e-6


def test_interpolation_and_inner_layers_change_without_a_new_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folders: list[Path] = []

    def train(*arguments: Any) -> list[dict[str, float]]:
        folders.append(arguments[-1])
        return []

    monkeypatch.setattr("fruits_pipeline.training.loop.train", train)
    changed = backbone_parameters({"weight_interpolation": 0.5}, inner_layers=[INNER])
    longer = backbone_parameters({"epochs": 2})
    for parameters in (backbone_parameters(), changed, longer):
        build_backbone(parameters, IMAGES, LABELS)
    assert folders[0] == folders[1]
    assert folders[0] != folders[2]


@pytest.mark.usefixtures("eagerly")
@IGNORE_EAGER_WARNINGS
def test_batch_normalisation_is_frozen(
    imagenet: dict[str, Any], tmp_path: Path
) -> None:
    parameters = backbone_parameters(**imagenet)
    network = build_network(parameters)
    before = {layer.name: layer.get_weights() for layer in network.layers}
    fine_tune(network, PHOTOS, parameters, tmp_path)
    for layer in network.layers:
        pairs = zip(before[layer.name], layer.get_weights(), strict=True)
        same = all(np.array_equal(old, new) for old, new in pairs)
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        assert same is (normalises or not layer.get_weights()), layer.name


@pytest.mark.usefixtures("eagerly")
@IGNORE_EAGER_WARNINGS
def test_label_layer_starts_as_a_linear_probe(
    shared: Path, imagenet: dict[str, Any], tmp_path: Path
) -> None:
    training = {"learning_rate": 1e-9, "steps": 8}
    parameters = backbone_parameters(training, **imagenet, input_size=96)

    def photos(label: str) -> Iterator[bytes]:
        files = sorted((shared / "fruits-360/Training" / label).rglob("*.jpg"))
        return (file.read_bytes() for file in files[:: len(files) // 20][:20])

    images = [*photos("Avocado"), *photos("Lemon")]
    labelled = TrainingPhotos(images, ["Avocado"] * 20 + ["Lemon"] * 20)
    network = build_network(parameters)
    (epoch,) = fine_tune(network, labelled, parameters, tmp_path)
    assert epoch["accuracy"] > 0.8


@pytest.mark.usefixtures("eagerly")
@IGNORE_EAGER_WARNINGS
def test_layers_before_the_first_trainable_one_are_frozen(tmp_path: Path) -> None:
    keras.utils.set_random_seed(360)
    network = build_network(backbone_parameters())
    before = {layer.name: layer.get_weights() for layer in network.layers}
    parameters = backbone_parameters({"first_trainable_layer": "conv_dw_5"})
    fine_tune(network, PHOTOS, parameters, tmp_path)
    changed = {
        layer.name
        for layer in network.layers
        for old, new in zip(before[layer.name], layer.get_weights(), strict=True)
        if not np.array_equal(old, new)
    }
    assert {"conv_dw_5", "conv_pw_13"} <= changed
    assert not changed & {"conv1", "conv_dw_1", "conv_pw_4"}


def test_unknown_first_trainable_layer_is_rejected() -> None:
    parameters = backbone_parameters({"first_trainable_layer": "block_99"})
    with pytest.raises(FruitsError) as error:
        build_backbone(parameters, IMAGES, LABELS)
    message = str(error.value)
    expected = "Found backbone.training.first_trainable_layer = 'block_99'"
    assert message.startswith(expected)
    assert "conv_dw_5, " in message


@pytest.mark.parametrize("name", ["block_99", "global_average_pooling2d"])
def test_inner_layer_without_a_map_is_rejected(tmp_path: Path, name: str) -> None:
    parameters = backbone_parameters(inner_layers=[name], checkpoints=str(tmp_path))
    with pytest.raises(FruitsError) as error:
        build_backbone(parameters, IMAGES, LABELS)
    message = str(error.value)
    assert message.startswith(f"Found backbone.inner_layers = ['{name}']; expected")
    assert "conv_pw_5_relu, " in message
    assert not [*tmp_path.iterdir()]


@pytest.mark.usefixtures("eagerly")
@IGNORE_EAGER_WARNINGS
def test_weights_are_interpolated_between_pretrained_and_fine_tuned(
    imagenet: dict[str, Any], tmp_path: Path
) -> None:
    results = []
    for share in (1.0, 0.25):
        parameters = backbone_parameters({"weight_interpolation": share}, **imagenet)
        network = build_network(parameters)
        pretrained = network.get_weights()
        fine_tune(network, PHOTOS, parameters, tmp_path)
        results.append(network.get_weights())
    for old, new, between in zip(pretrained, *results, strict=True):
        np.testing.assert_allclose(between, old + (new - old) / 4, atol=1e-6)
    pairs = zip(pretrained, results[0], strict=True)
    assert any((old != new).any() for old, new in pairs)


def test_random_weights_without_training_are_rejected() -> None:
    message = "Found no weights .* random weights without training.* the project ships"
    with pytest.raises(FruitsError, match=message):
        build_backbone(backbone_parameters(weights="random"), [], [])


@pytest.mark.parametrize("missing", ["tensorflow", "keras"])
def test_missing_tensorflow_is_reported(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(FruitsError) as error:
        build_backbone(backbone_parameters(), [], [])
    message = str(error.value)
    assert message.startswith(f"Found no {missing}; expected TensorFlow")
    assert "`pip install fruits-pipeline[keras]`" in message
    assert "the backbone that the project ships" in message
