from collections.abc import Callable

import numpy as np
import pytest
from backbone_factory import backbone_parameters
from factories import jpeg

from fruits_pipeline.training.data import (
    FEATURE_OUTPUT,
    SIMILARITY_OUTPUT,
    Batch,
    TeacherTargets,
    TrainingBatches,
    TrainingPhotos,
)

LABELS = ["Apple", "Pear", "Plum"] * 4 + ["Fig"]
IMAGES = [jpeg(seed) for seed in range(len(LABELS))]
EMBEDDINGS = np.random.default_rng(0).normal(size=(len(LABELS), 5))


@pytest.fixture
def batch() -> Callable[[int, int], Batch]:
    """Return the method that creates a batch from an epoch and a step."""
    photos = TrainingPhotos(IMAGES, LABELS, TeacherTargets(EMBEDDINGS, weight=0.5))
    training = backbone_parameters({"photos_per_step": 8}).training
    return TrainingBatches(photos, training, size=32, seed=1).batch


def test_batch_depends_on_epoch_and_step(batch: Callable[[int, int], Batch]) -> None:
    pixels, targets = batch(0, 1)
    same_pixels, same_targets = batch(0, 1)
    np.testing.assert_array_equal(pixels, same_pixels)
    np.testing.assert_array_equal(targets["label"], same_targets["label"])
    assert (pixels != batch(1, 1)[0]).any()


def test_batch_contains_unscaled_pixels(batch: Callable[[int, int], Batch]) -> None:
    pixels, _ = batch(0, 1)
    assert pixels.shape == (8, 32, 32, 3)
    assert pixels.max() > 1


def test_labels_are_sampled_equally_often(batch: Callable[[int, int], Batch]) -> None:
    counts = sum(batch(0, step)[1]["label"].sum(axis=0) for step in range(10))
    np.testing.assert_array_equal(counts, [20, 20, 20, 20])


def test_targets_are_teacher_embeddings_of_the_same_photos(
    batch: Callable[[int, int], Batch],
) -> None:
    _, targets = batch(0, 0)
    names = np.array(sorted({*LABELS}))[targets["label"].argmax(axis=1)]
    assert targets[SIMILARITY_OUTPUT] is targets[FEATURE_OUTPUT]
    for name, target in zip(names, targets[FEATURE_OUTPUT], strict=True):
        (row,) = np.flatnonzero((target == EMBEDDINGS).all(axis=1))
        assert LABELS[row] == name
