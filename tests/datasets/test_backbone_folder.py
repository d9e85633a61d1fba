import hashlib
from pathlib import Path
from uuid import uuid4

import pytest
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.models.backbones import Backbone, Card
from fruits_pipeline.spark.error_messages import in_words

MODEL = b"a LiteRT file"


def backbone(model: bytes = MODEL) -> Backbone:
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


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> BackboneFolder:
    place = (
        f"memory://{uuid4().hex}" if request.param == "memory" else f"{tmp_path}/b b"
    )
    return BackboneFolder(filepath=place)


def complaint(folder: BackboneFolder) -> str:
    """Return what a user is told where a backbone cannot be loaded."""
    with pytest.raises(DatasetError) as caught:
        folder.load()
    return in_words(caught.value) or ""


def test_what_is_saved_is_loaded(folder: BackboneFolder) -> None:
    assert not folder.exists()
    folder.save(backbone())
    assert folder.exists()
    loaded = folder.load()
    assert loaded.model == MODEL
    assert loaded.card == backbone().card


def test_another_backbone_replaces_the_old(folder: BackboneFolder) -> None:
    folder.save(backbone())
    folder.save(backbone(b"another"))
    assert folder.load().model == b"another"


def test_a_missing_backbone_is_an_error_that_names_three_ways_to_get_one(
    folder: BackboneFolder,
) -> None:
    words = complaint(folder)
    assert words.startswith(f"Found no backbone in {folder.filepath} ")
    assert "--params backbone_folder=data/06_models/backbone" in words
    assert "`kedro run --pipelines backbone`" in words
    assert "backbone.weights" in words
    assert "backbone.training.epochs" in words


@pytest.mark.parametrize("missing", ["backbone.tflite", "card.json"])
def test_half_a_backbone_is_a_missing_one(tmp_path: Path, missing: str) -> None:
    folder = BackboneFolder(filepath=str(tmp_path))
    folder.save(backbone())
    (tmp_path / missing).unlink()
    words = complaint(folder)
    assert words.startswith("Found no backbone")
    assert missing in words


def test_a_file_that_its_card_does_not_know_is_refused(tmp_path: Path) -> None:
    folder = BackboneFolder(filepath=str(tmp_path))
    folder.save(backbone())
    (tmp_path / "backbone.tflite").write_bytes(b"another LiteRT file")
    words = complaint(folder)
    assert "not what its card says: SHA-256" in words
    assert "set backbone_folder to another" in words


@pytest.mark.parametrize("card", ["", "{}", "not JSON"])
def test_a_broken_card_is_refused_in_words(tmp_path: Path, card: str) -> None:
    folder = BackboneFolder(filepath=str(tmp_path))
    folder.save(backbone())
    (tmp_path / "card.json").write_text(card)
    assert "not what its card says" in complaint(folder)
