import sys
from collections.abc import Sequence
from typing import Any

import pytest
from making import batches, jpeg, key_of

from fruits_pipeline import keras_backbones, schemas
from fruits_pipeline.batches import computed
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.keras_backbones import TrainingPhotos
from fruits_pipeline.parameters import BackboneParameters
from fruits_pipeline.pipelines.backbone.nodes import build_backbone

pytestmark = pytest.mark.usefixtures("spark")

PARAMETERS = BackboneParameters(
    architecture="MobileNetV2",
    arguments={"alpha": 0.35},
    input_size=32,
    weights="random",
    epochs=1,
    head_epochs=0,
    photos_per_step=4,
    learning_rate=0.001,
    training_split="Training",
    seed=1,
)
UNTRAINED = PARAMETERS.model_copy(update={"epochs": 0})


def image(path: str, seed: int, **other: Any) -> dict[str, Any]:
    return {**key_of(path), "image": jpeg(seed), **other}


def broken(path: str) -> dict[str, Any]:
    return {**key_of(path), "error": "empty file (0 bytes)"}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[TrainingPhotos | None]:
    """Note the photos that Keras would be given, which it is not."""
    seen: list[TrainingPhotos | None] = []

    def note(_: BackboneParameters, photos: TrainingPhotos | None) -> None:
        seen.append(photos)

    monkeypatch.setattr(keras_backbones, "build", note)
    return seen


def unread(names: Sequence[str]) -> Any:
    raise AssertionError(f"images were read: {names}")


def test_readable_labelled_photos_of_the_split_are_trained_on(
    given: list[TrainingPhotos | None],
) -> None:
    rows = [
        image("Training/Kiwi/1", 1),
        image("Training/Fig/1", 2),
        image("Training/Fig/unlabelled", 3, label=None),
        image("Test/Fig/1", 4),
        broken("Training/Fig/2"),
    ]
    build_backbone(batches({"000001": rows}, schemas.IMAGES), PARAMETERS)
    assert given == [TrainingPhotos([jpeg(2), jpeg(1)], ["Fig", "Kiwi"])]


def test_only_the_newest_version_of_a_photo_is_trained_on(
    given: list[TrainingPhotos | None],
) -> None:
    old = [image(f"Training/{name}", 1) for name in ("Fig/1", "Fig/2", "Kiwi/1")]
    new = [image("Training/Fig/1", 2), broken("Training/Fig/2")]
    table = batches({"000001": old, "000002": new}, schemas.IMAGES)
    build_backbone(table, PARAMETERS)
    assert given == [TrainingPhotos([jpeg(2), jpeg(1)], ["Fig", "Kiwi"])]


def test_without_training_no_photo_is_read(given: list[TrainingPhotos | None]) -> None:
    build_backbone(computed(["000001"], unread, schemas.IMAGES, {}), UNTRAINED)
    assert given == [None]


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
    assert "in the split 'Training'" in str(refused.value)
    assert "backbone.training_split" in str(refused.value)


def test_training_without_a_table_says_what_to_run() -> None:
    with pytest.raises(FruitsError, match="kedro run"):
        build_backbone(computed([], unread, schemas.IMAGES, {}), PARAMETERS)


def test_without_tensorflow_words_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(FruitsError, match=r"pip install fruits-pipeline\[keras\]"):
        build_backbone(computed([], unread, schemas.IMAGES, {}), UNTRAINED)
