from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from backbone_factory import backbone_parameters
from factories import jpeg

from fruits_pipeline.training.data import (
    Batch,
    TeacherTargets,
    TrainingBatches,
    TrainingPhotos,
)

keras = pytest.importorskip("keras", reason="training needs TensorFlow")
loop = pytest.importorskip("fruits_pipeline.training.loop")

LABELS = ["Apple", "Pear", "Plum"] * 4 + ["Fig"]
PHOTOS = TrainingPhotos([jpeg(seed) for seed in range(len(LABELS))], LABELS)
EMBEDDINGS = np.random.default_rng(0).normal(size=(len(LABELS), 5))
TARGETS = TeacherTargets(EMBEDDINGS, weight=0.5)
DISTILLED = TrainingPhotos(PHOTOS.images, LABELS, TARGETS)
PARAMETERS = backbone_parameters(
    {"epochs": 3, "steps": 4, "photos_per_step": 8, "learning_rate": 0.01}
).training


def build_network() -> Any:
    """Return a small network with the same initial weights in each call."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 5, strides=4, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )


def train_weights(folder: Path, photos: TrainingPhotos = DISTILLED) -> list[np.ndarray]:
    network = build_network()
    loop.train(network, photos, PARAMETERS, 1, folder)
    return list(network.get_weights())


def assert_close(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_history_contains_each_epoch(tmp_path: Path) -> None:
    history = loop.train(build_network(), DISTILLED, PARAMETERS, 1, tmp_path)
    assert len(history) == PARAMETERS.epochs
    assert all({"loss", "label_accuracy"} <= epoch.keys() for epoch in history)


def test_training_improves_on_the_linear_probe(tmp_path: Path) -> None:
    colours = [(135, 100, 100), (100, 135, 100), (100, 100, 135)]
    images = [
        simplejpeg.encode_jpeg(np.full((40, 40, 3), colour, np.uint8))
        for colour in colours
        for _ in range(4)
    ]
    photos = TrainingPhotos(images, [str(i // 4) for i in range(12)])
    parameters = PARAMETERS.model_copy(update={"epochs": 24})
    history = loop.train(build_network(), photos, parameters, 1, tmp_path)
    assert history[-1]["accuracy"] > 0.9 > history[0]["accuracy"]
    assert history[-1]["loss"] < history[0]["loss"]


@pytest.mark.parametrize("photos", [PHOTOS, DISTILLED], ids=["alone", "distilled"])
def test_training_is_reproducible(tmp_path: Path, photos: TrainingPhotos) -> None:
    first = train_weights(tmp_path / "first", photos)
    assert_close(train_weights(tmp_path / "second", photos), first)


@pytest.mark.parametrize("epochs_done", [1, 2])
def test_resumed_training_equals_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs_done: int
) -> None:
    iterate = TrainingBatches.iterate

    def interrupt(batches: TrainingBatches, epoch: int) -> Iterator[Batch]:
        if epoch == epochs_done:
            raise KeyboardInterrupt
        return iterate(batches, epoch)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingBatches, "iterate", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_weights(tmp_path / "interrupted")
    resumed = train_weights(tmp_path / "interrupted")
    assert_close(resumed, train_weights(tmp_path / "uninterrupted"))


def test_only_the_last_state_is_kept(tmp_path: Path) -> None:
    train_weights(tmp_path)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["epoch-0003.weights.h5", "history.json"]
