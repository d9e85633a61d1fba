"""Training by the real Keras, of networks as small as can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import jpeg

from fruits_pipeline.parameters import TrainingParameters

keras = pytest.importorskip("keras", reason="training needs TensorFlow")

from fruits_pipeline.training import loop  # noqa: E402
from fruits_pipeline.training.data import (  # noqa: E402
    ALIKE,
    COPIED,
    Targets,
    TrainingBatches,
    TrainingPhotos,
)
from fruits_pipeline.training.loop import train  # noqa: E402

LABELS = ["Apple", "Pear", "Plum"] * 4 + ["Fig"]
PHOTOS = TrainingPhotos([jpeg(seed) for seed in range(len(LABELS))], LABELS)
SEEN = np.random.default_rng(0).normal(size=(len(LABELS), 5))
TAUGHT = TrainingPhotos(PHOTOS.images, LABELS, Targets(SEEN, weight=0.5))
PARAMETERS = TrainingParameters(
    epochs=3,
    steps=4,
    photos_per_step=8,
    learning_rate=0.01,
    first_trainable_layer=None,
    weight_interpolation=1.0,
)


def network() -> Any:
    """Return a small network, always the same."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 5, strides=4, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )


def weights_after(folder: Path, photos: TrainingPhotos = TAUGHT) -> list[np.ndarray]:
    trained = network()
    train(trained, photos, PARAMETERS, 1, folder)
    return [*trained.get_weights()]


def test_every_epoch_is_told_of(tmp_path: Path) -> None:
    history = train(network(), TAUGHT, PARAMETERS, 1, tmp_path)
    assert len(history) == PARAMETERS.epochs
    assert all({"loss", "label_accuracy"} <= epoch.keys() for epoch in history)


def test_photos_that_are_alike_as_the_teacher_sees_them_cost_nothing() -> None:
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(6, 3))
    seen -= seen.mean(axis=0)
    turned, _ = np.linalg.qr(rng.normal(size=(5, 3)))
    features = 7 * seen @ turned.T + 2
    np.testing.assert_allclose(loop.unlikeness(seen, features), 0, atol=1e-9)


def test_photos_that_are_not_cost_the_squared_difference_of_their_cosines() -> None:
    rng = np.random.default_rng(0)
    seen, features = rng.normal(size=(6, 3)), rng.normal(size=(6, 4))
    expected = np.zeros(6)
    centred = features - features.mean(axis=0)
    for one in range(6):
        for other in range(6):
            theirs = cosine(seen[one], seen[other])
            expected[one] += (cosine(centred[one], centred[other]) - theirs) ** 2
    found = loop.unlikeness(seen, features)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_a_network_learns_what_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = [np.zeros((4, 3)), np.zeros(3)]
    monkeypatch.setattr(loop, "_probe", lambda *_: nothing)
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]
    images = [plain(colour) for colour in colours for _ in range(4)]
    photos = TrainingPhotos(images, [str(i // 4) for i in range(12)])
    more = PARAMETERS.model_copy(update={"epochs": 12})
    history = train(network(), photos, more, 1, tmp_path)
    assert history[-1]["accuracy"] > 0.9 > history[0]["accuracy"]
    assert history[-1]["loss"] < history[0]["loss"]


def plain(colour: tuple[int, int, int]) -> bytes:
    import simplejpeg

    return bytes(simplejpeg.encode_jpeg(np.full((40, 40, 3), colour, np.uint8)))


@pytest.mark.parametrize("photos", [PHOTOS, TAUGHT], ids=["alone", "taught"])
def test_a_training_is_the_same_again(tmp_path: Path, photos: TrainingPhotos) -> None:
    first = weights_after(tmp_path / "first", photos)
    again = weights_after(tmp_path / "again", photos)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("epochs_done", [1, 2])
def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs_done: int
) -> None:
    of_epoch = TrainingBatches.of_epoch

    def stop(self: Any, epoch: int) -> Any:
        if epoch == epochs_done:
            raise KeyboardInterrupt
        return of_epoch(self, epoch)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingBatches, "of_epoch", stop)
        with pytest.raises(KeyboardInterrupt):
            weights_after(tmp_path / "stopped")
    found = weights_after(tmp_path / "stopped")
    expected = weights_after(tmp_path / "whole")
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_of_the_states_only_the_last_is_kept(tmp_path: Path) -> None:
    weights_after(tmp_path)
    kept = sorted(file.name for file in tmp_path.iterdir())
    assert kept == ["epoch-0003.weights.h5", "history.json"]


@pytest.fixture
def batches() -> Callable[[int, int], Any]:
    return TrainingBatches(TAUGHT, PARAMETERS, size=32, seed=1).batch


def test_a_batch_is_a_function_of_its_number(
    batches: Callable[[int, int], Any],
) -> None:
    (pixels, said), (again, same), (other, _) = (
        batches(0, 1),
        batches(0, 1),
        batches(1, 1),
    )
    np.testing.assert_array_equal(pixels, again)
    np.testing.assert_array_equal(said["label"], same["label"])
    assert (pixels != other).any()
    assert pixels.shape == (8, 32, 32, 3)
    assert pixels.max() > 1  # the network's own scaling is not done here


def test_labels_are_seen_as_often_whatever_their_photos(
    batches: Callable[[int, int], Any],
) -> None:
    seen = sum(batches(0, step)[1]["label"].sum(axis=0) for step in range(10))
    np.testing.assert_array_equal(seen, [20, 20, 20, 20])


def test_a_batch_says_what_the_teacher_saw_in_each_photo(
    batches: Callable[[int, int], Any],
) -> None:
    _, said = batches(0, 0)
    names = np.array(sorted({*LABELS}))[said["label"].argmax(axis=1)]
    assert said[ALIKE] is said[COPIED]
    for name, target in zip(names, said[COPIED], strict=True):
        (number,) = np.flatnonzero((target == SEEN).all(axis=1))
        assert LABELS[number] == name
