import sys
from typing import Any

import pytest
from backbone_factory import SELECTION, backbone_parameters
from factories import frame, jpeg, key_of
from frame_helpers import fail_if_read
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parameters import BackboneParameters
from fruits_pipeline.pipelines.backbone.nodes import (
    build_backbone,
    select_training_photos,
)
from fruits_pipeline.spark.frames import map_arrow
from fruits_pipeline.training import build

pytestmark = pytest.mark.usefixtures("spark")

UNTRAINED = backbone_parameters({"epochs": 0}, weights="imagenet")

TrainingData = tuple[list[bytes], list[str]]


def with_selection(**selection: Any) -> BackboneParameters:
    return backbone_parameters(photos=SELECTION | selection)


def image(path: str, seed: int, **values: Any) -> dict[str, Any]:
    return {**key_of(path), "image": jpeg(seed), **values}


def rejected(path: str) -> dict[str, Any]:
    return {**key_of(path), "error": "empty file (0 bytes)"}


@pytest.fixture
def training_data(monkeypatch: pytest.MonkeyPatch) -> list[TrainingData]:
    """Replace the training, and return the images and labels passed to it."""
    calls: list[TrainingData] = []

    def record(
        _: BackboneParameters, images: list[bytes], labels: list[str]
    ) -> tuple[None, list[Any]]:
        calls.append((images, labels))
        return None, []

    monkeypatch.setattr(build, "build_backbone", record)
    return calls


@pytest.fixture
def unreadable() -> DataFrame:
    """Return images that raise an error when they are read."""
    rows = [image("Training/Kiwi/1", 1)]
    return map_arrow(frame(rows, schemas.IMAGES), fail_if_read, schemas.IMAGES)


def test_labelled_photos_of_the_splits_are_used(
    training_data: list[TrainingData],
) -> None:
    rows = [
        image("Training/Kiwi/1", 1),
        image("Training/Fig/1", 2),
        image("Training/Fig/unlabelled", 3, label=None),
        image("Test/Fig/1", 4),
        rejected("Training/Fig/2"),
    ]
    build_backbone(frame(rows, schemas.IMAGES), backbone_parameters())
    assert training_data == [([jpeg(2), jpeg(1)], ["Fig", "Kiwi"])]


@pytest.mark.parametrize(
    ("selection", "labels"),
    [
        ({"held_out_labels": ["Fig"]}, ["Kiwi", "Lime"]),
        ({"held_out_series": "/r$"}, ["Fig", "Lime"]),
        ({"splits": ["TRAINING"]}, ["Fig", "Kiwi"]),
    ],
)
def test_held_out_photos_are_not_used(
    training_data: list[TrainingData], selection: dict[str, Any], labels: list[str]
) -> None:
    rows = [
        image("Training/Fig/1", 1, series="Fig/"),
        image("Training/Kiwi/1", 2, series="Kiwi/r"),
        image("train/Lime/1", 3),
    ]
    build_backbone(frame(rows, schemas.IMAGES), with_selection(**selection))
    assert training_data[0][1] == labels


def test_training_photos_are_selected_lazily(unreadable: DataFrame) -> None:
    selected = select_training_photos(unreadable, UNTRAINED.photos)
    assert selected.columns == ["label", "image"]


def test_training_photos_are_sorted_by_path() -> None:
    paths = [f"Training/Kiwi/{name}" for name in "cab"]
    rows = [image(path, seed) for seed, path in enumerate(paths)]
    images = frame(rows, schemas.IMAGES)
    found = select_training_photos(images, UNTRAINED.photos).collect()
    assert [row.image for row in found] == [jpeg(1), jpeg(2), jpeg(0)]


def test_photos_without_a_series_are_not_held_out(
    training_data: list[TrainingData],
) -> None:
    rows = [image("Training/Fig/1", 1), image("Training/Kiwi/1", 2)]
    build_backbone(frame(rows, schemas.IMAGES), with_selection(held_out_series="r"))
    assert training_data[0][1] == ["Fig", "Kiwi"]


def test_images_are_not_read_without_training(
    training_data: list[TrainingData], unreadable: DataFrame
) -> None:
    build_backbone(unreadable, UNTRAINED)
    assert training_data == [([], [])]


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["Training/Kiwi/1", "Training/Kiwi/2"], "2 photos of 1 label"),
        (["Test/Kiwi/1", "Test/Fig/1"], "0 photos of 0 label"),
    ],
)
def test_fewer_than_two_labels_are_rejected(paths: list[str], found: str) -> None:
    table = frame([image(path, 1) for path in paths], schemas.IMAGES)
    with pytest.raises(FruitsError) as error:
        build_backbone(table, backbone_parameters())
    assert found in str(error.value)
    assert "in the splits ['Training', 'train']" in str(error.value)
    assert "backbone.photos.splits" in str(error.value)


def test_missing_tensorflow_is_reported(
    monkeypatch: pytest.MonkeyPatch, unreadable: DataFrame
) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(FruitsError, match=r"pip install fruits-pipeline\[keras\]"):
        build_backbone(unreadable, UNTRAINED)
