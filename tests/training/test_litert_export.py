import hashlib
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backbone_factory import backbone_parameters
from litert_shapes import variable_shapes

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.canonical import canonicalise
from fruits_pipeline.imaging.fitting import fit
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.training.litert_export import TOLERANCE, export_backbone
from fruits_pipeline.training.networks import build_network

keras = pytest.importorskip("keras", reason="exporting a network needs TensorFlow")

ARCHITECTURES = [
    ("MobileNetV2", "mobilenet_v2", [10 / 127.5 - 1, 90 / 127.5 - 1, 1]),
    ("VGG16", "vgg16", [255 - 103.939, 90 - 116.779, 10 - 123.68]),
    (
        "DenseNet121",
        "densenet",
        [(10 / 255 - 0.485) / 0.229, (90 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225],
    ),
    ("EfficientNetB0", "efficientnet", [10, 90, 255]),
]
"""Class, module, and the pixel (10, 90, 255) after the scaling of the architecture."""


@pytest.fixture(scope="module")
def backbone(imagenet: dict[str, Any]) -> Backbone:
    """Return MobileNetV2 at 96 px with ImageNet weights."""
    parameters = backbone_parameters(**imagenet, input_size=96)
    return export_backbone(build_network(parameters), parameters, training={})


def every_nth(folder: Path, photos: int) -> list[bytes]:
    files = sorted(folder.rglob("*.jpg"))
    return [file.read_bytes() for file in files[:: len(files) // photos][:photos]]


def test_features_of_real_photos_equal_those_of_keras(
    shared: Path, imagenet: dict[str, Any], backbone: Backbone
) -> None:
    contents = every_nth(shared / "fruits-360", 40) + every_nth(shared / "grocery", 24)
    images = [canonicalise(content, 256, 320).image for content in contents]
    pixels = np.stack([fit(image or b"", 96, "pad") for image in images])
    network = keras.applications.MobileNetV2(
        input_shape=(96, 96, 3),
        alpha=0.35,
        include_top=False,
        pooling="avg",
        weights=imagenet["weights"],
    )
    scaled = keras.applications.mobilenet_v2.preprocess_input(pixels.astype("float32"))
    expected = network.predict(scaled, verbose=0)
    found = np.array([*backbone.embed(pixels)])
    assert found.shape == (64, 1280)
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE)
    assert expected.std(axis=0).max() > 100 * TOLERANCE


def test_card_describes_the_file(imagenet: dict[str, Any], backbone: Backbone) -> None:
    card = backbone.card
    assert (card.architecture, card.arguments) == ("MobileNetV2", {"alpha": 0.35})
    assert (card.input_size, card.width) == (96, 1280)
    assert card.weights == Path(imagenet["weights"]).name
    assert card.training == {}
    assert card.versions["keras"] == keras.__version__
    assert card.sha256 == hashlib.sha256(backbone.model).hexdigest()


def export_mean_colour(architecture: str) -> Backbone:
    """Export a backbone whose features are the mean of the scaled pixels."""
    mean = keras.layers.GlobalAveragePooling2D()
    network = keras.Sequential([keras.Input((32, 32, 3)), mean])
    parameters = backbone_parameters(architecture=architecture, arguments={})
    return export_backbone(network, parameters, training={})


@pytest.mark.parametrize(("architecture", "module", "scaled"), ARCHITECTURES)
def test_file_contains_the_scaling_of_its_architecture(
    architecture: str, module: str, scaled: list[float]
) -> None:
    pixels = np.full((32, 32, 3), (10, 90, 255), np.uint8)
    (found,) = export_mean_colour(architecture).embed([pixels])
    np.testing.assert_allclose(found, scaled, rtol=1e-4)
    application = importlib.import_module(f"keras.applications.{module}")
    expected = application.preprocess_input(pixels.astype(np.float32))[0, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_shapes_are_fixed() -> None:
    assert not variable_shapes(export_mean_colour("MobileNetV2").model)


def test_file_with_other_features_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    other = export_mean_colour("VGG16").model

    def export(_: Any, file: Path, **__: Any) -> None:
        file.write_bytes(other)

    monkeypatch.setattr(keras.Model, "export", export)
    with pytest.raises(FruitsError, match="This model does not convert"):
        export_mean_colour("MobileNetV2")
