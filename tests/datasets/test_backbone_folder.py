import hashlib
from pathlib import Path

import pytest
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.models.backbones import Backbone, Card
from fruits_pipeline.spark.error_messages import user_message

MODEL = b"a LiteRT file"


def make_backbone(model: bytes = MODEL) -> Backbone:
    card = Card(
        architecture="MobileNetV2",
        arguments={"alpha": 0.35},
        inner_layers=["block_13_project_BN"],
        input_size=32,
        width=1280,
        weights="random",
        training={"photos": 8, "accuracy": 0.5},
        versions={"keras": "3"},
        sha256=hashlib.sha256(model).hexdigest(),
    )
    return Backbone(model, card)


def load_error(dataset: BackboneFolder) -> str:
    """Return the message that a user sees if the backbone cannot be loaded."""
    with pytest.raises(DatasetError) as caught:
        dataset.load()
    return user_message(caught.value) or ""


def test_saved_backbone_is_loaded(folder: str) -> None:
    dataset = BackboneFolder(filepath=folder)
    assert not dataset.exists()
    dataset.save(make_backbone())
    assert dataset.exists()
    loaded = dataset.load()
    assert loaded.model == MODEL
    assert loaded.card == make_backbone().card


def test_recipe_is_the_digest_of_the_model(folder: str) -> None:
    dataset = BackboneFolder(filepath=f"{folder}/")
    dataset.save(make_backbone())
    digest = hashlib.sha256(MODEL).hexdigest()
    assert (dataset.recipe(), dataset.fingerprint()) == ({"backbone": digest}, digest)


def test_saving_replaces_the_backbone(folder: str) -> None:
    dataset = BackboneFolder(filepath=folder)
    dataset.save(make_backbone())
    dataset.save(make_backbone(b"another"))
    assert dataset.load().model == b"another"


def test_missing_backbone_is_an_error_with_three_solutions(folder: str) -> None:
    message = load_error(BackboneFolder(filepath=folder))
    assert message.startswith(f"Found no backbone in {folder} ")
    assert "--params backbone_folder=data/06_models/backbone" in message
    assert "`kedro run --pipelines backbone`" in message
    assert "backbone.weights" in message
    assert "backbone.training.epochs" in message


@pytest.mark.parametrize("missing", ["backbone.tflite", "card.json"])
def test_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    dataset = BackboneFolder(filepath=str(tmp_path))
    dataset.save(make_backbone())
    (tmp_path / missing).unlink()
    message = load_error(dataset)
    assert message.startswith("Found no backbone")
    assert missing in message


def test_card_of_another_model_is_refused(tmp_path: Path) -> None:
    dataset = BackboneFolder(filepath=str(tmp_path))
    dataset.save(make_backbone())
    (tmp_path / "backbone.tflite").write_bytes(b"another LiteRT file")
    message = load_error(dataset)
    assert "does not match its card: " in message
    assert "SHA-256" in message
    assert "set backbone_folder to another" in message


@pytest.mark.parametrize("card", ["", "{}", "not JSON"])
def test_invalid_card_is_refused(tmp_path: Path, card: str) -> None:
    dataset = BackboneFolder(filepath=str(tmp_path))
    dataset.save(make_backbone())
    (tmp_path / "card.json").write_text(card)
    assert "does not match its card" in load_error(dataset)
