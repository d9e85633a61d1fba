import sys
from typing import Any

import pytest
from factories import frame, jpeg, key_of
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parameters import BackboneParameters
from fruits_pipeline.pipelines.backbone.nodes import (
    build_backbone,
    select_training_photos,
)
from fruits_pipeline.spark.frames import map_arrow
from fruits_pipeline.spark.parts import Rows
from fruits_pipeline.training import build as keras_backbones

pytestmark = pytest.mark.usefixtures("spark")

NETWORK = {
    "architecture": "MobileNetV2",
    "arguments": {"alpha": 0.35},
    "inner_layers": [],
    "input_size": 32,
    "weights": "random",
}


def parameters(epochs: int = 1, **photos: Any) -> BackboneParameters:
    training = {
        "epochs": epochs,
        "steps": 1,
        "photos_per_step": 4,
        "learning_rate": 0.001,
        "first_trainable_layer": None,
        "weight_interpolation": 1.0,
    }
    chosen = {
        "splits": ["Training", "train"],
        "held_out_labels": [],
        "held_out_series": None,
    }
    return BackboneParameters(
        **NETWORK,
        seed=1,
        training=training,
        photos=chosen | photos,
        teacher=NETWORK | {"weight": 0},
        checkpoints="nowhere",
    )


PARAMETERS = parameters()
UNTRAINED = parameters(epochs=0)

Given = tuple[list[bytes], list[str]]


def image(path: str, seed: int, **other: Any) -> dict[str, Any]:
    return {**key_of(path), "image": jpeg(seed), **other}


def broken(path: str) -> dict[str, Any]:
    return {**key_of(path), "error": "empty file (0 bytes)"}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Given]:
    """Note the photos that Keras would be given, which it is not."""
    seen: list[Given] = []

    def note(
        _: BackboneParameters, images: list[bytes], labels: list[str]
    ) -> tuple[None, list[Any]]:
        seen.append((images, labels))
        return None, []

    monkeypatch.setattr(keras_backbones, "build", note)
    return seen


@pytest.fixture
def unread() -> DataFrame:
    """Return images that nobody may read."""

    def fail(rows: Rows) -> Rows:
        raise AssertionError("images were read")
        yield from rows

    rows = [image("Training/Kiwi/1", 1)]
    return map_arrow(frame(rows, schemas.IMAGES), fail, schemas.IMAGES)


def test_readable_labelled_photos_of_the_split_are_trained_on(
    given: list[Given],
) -> None:
    rows = [
        image("Training/Kiwi/1", 1),
        image("Training/Fig/1", 2),
        image("Training/Fig/unlabelled", 3, label=None),
        image("Test/Fig/1", 4),
        broken("Training/Fig/2"),
    ]
    build_backbone(frame(rows, schemas.IMAGES), PARAMETERS)
    assert given == [([jpeg(2), jpeg(1)], ["Fig", "Kiwi"])]


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        ({"held_out_labels": ["Fig"]}, ["Kiwi", "Lime"]),
        ({"held_out_series": "/r$"}, ["Fig", "Lime"]),
        ({"splits": ["TRAINING"]}, ["Fig", "Kiwi"]),
    ],
)
def test_what_is_left_out_is_not_trained_on(
    given: list[Given], chosen: dict[str, Any], left: list[str]
) -> None:
    rows = [
        image("Training/Fig/1", 1, series="Fig/"),
        image("Training/Kiwi/1", 2, series="Kiwi/r"),
        image("train/Lime/1", 3),
    ]
    build_backbone(frame(rows, schemas.IMAGES), parameters(**chosen))
    assert given[0][1] == left


def test_photos_to_train_on_are_selected_lazily_and_sorted_by_path(
    unread: DataFrame,
) -> None:
    chosen = PARAMETERS.photos
    assert select_training_photos(unread, chosen).columns == ["label", "image"]
    paths = [f"Training/Kiwi/{name}" for name in "cab"]
    rows = [image(path, seed) for seed, path in enumerate(paths)]
    found = select_training_photos(frame(rows, schemas.IMAGES), chosen).collect()
    assert [row.image for row in found] == [jpeg(1), jpeg(2), jpeg(0)]


def test_photos_without_a_series_are_not_left_out(given: list[Given]) -> None:
    rows = [image("Training/Fig/1", 1), image("Training/Kiwi/1", 2)]
    build_backbone(frame(rows, schemas.IMAGES), parameters(held_out_series="r"))
    assert given[0][1] == ["Fig", "Kiwi"]


def test_without_training_no_photo_is_read(
    given: list[Given], unread: DataFrame
) -> None:
    build_backbone(unread, UNTRAINED)
    assert given == [([], [])]


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["Training/Kiwi/1", "Training/Kiwi/2"], "2 photos of 1 label"),
        (["Test/Kiwi/1", "Test/Fig/1"], "0 photos of 0 label"),
    ],
)
def test_training_on_fewer_than_two_labels_is_refused_in_words(
    paths: list[str], found: str
) -> None:
    table = frame([image(path, 1) for path in paths], schemas.IMAGES)
    with pytest.raises(FruitsError) as refused:
        build_backbone(table, PARAMETERS)
    assert found in str(refused.value)
    assert "in the splits ['Training', 'train']" in str(refused.value)
    assert "backbone.photos.splits" in str(refused.value)


def test_without_tensorflow_words_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch, unread: DataFrame
) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(FruitsError, match=r"pip install fruits-pipeline\[keras\]"):
        build_backbone(unread, UNTRAINED)
