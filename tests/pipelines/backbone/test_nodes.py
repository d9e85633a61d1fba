import sys
from collections.abc import Sequence
from typing import Any

import pytest
from making import batches, jpeg, key_of

from fruits_pipeline import keras_backbones, schemas
from fruits_pipeline.batches import computed
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parameters import BackboneParameters
from fruits_pipeline.pipelines.backbone.nodes import build_backbone

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
        "first_trained": None,
        "mixing": 1.0,
    }
    chosen = {
        "splits": ["Training", "train"],
        "left_out_labels": [],
        "left_out_series": None,
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


def unread(names: Sequence[str]) -> Any:
    raise AssertionError(f"images were read: {names}")


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
    build_backbone(batches({"000001": rows}, schemas.IMAGES), PARAMETERS)
    assert given == [([jpeg(2), jpeg(1)], ["Fig", "Kiwi"])]


def test_only_the_newest_version_of_a_photo_is_trained_on(
    given: list[Given],
) -> None:
    old = [image(f"Training/{name}", 1) for name in ("Fig/1", "Fig/2", "Kiwi/1")]
    new = [image("Training/Fig/1", 2), broken("Training/Fig/2")]
    table = batches({"000001": old, "000002": new}, schemas.IMAGES)
    build_backbone(table, PARAMETERS)
    assert given == [([jpeg(2), jpeg(1)], ["Fig", "Kiwi"])]


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        ({"left_out_labels": ["Fig"]}, ["Kiwi", "Lime"]),
        ({"left_out_series": "/r$"}, ["Fig", "Lime"]),
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
    build_backbone(batches({"000001": rows}, schemas.IMAGES), parameters(**chosen))
    assert given[0][1] == left


def test_without_training_no_photo_is_read(given: list[Given]) -> None:
    build_backbone(computed(["000001"], unread, schemas.IMAGES, {}), UNTRAINED)
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
    table = batches({"000001": [image(path, 1) for path in paths]}, schemas.IMAGES)
    with pytest.raises(FruitsError) as refused:
        build_backbone(table, PARAMETERS)
    assert found in str(refused.value)
    assert "in the splits ['Training', 'train']" in str(refused.value)
    assert "backbone.photos.splits" in str(refused.value)


def test_training_without_a_table_says_what_to_run() -> None:
    with pytest.raises(FruitsError, match="kedro run"):
        build_backbone(computed([], unread, schemas.IMAGES, {}), PARAMETERS)


def test_without_tensorflow_words_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(FruitsError, match=r"pip install fruits-pipeline\[keras\]"):
        build_backbone(computed([], unread, schemas.IMAGES, {}), UNTRAINED)
