from pathlib import Path

import numpy as np
import pytest
from backbone_factory import IMAGES, LABELS, TEACHER, backbone_parameters

from fruits_pipeline.training.data import TrainingPhotos
from fruits_pipeline.training.distillation import TARGETS_FILE, add_targets

pytest.importorskip("keras", reason="a teacher needs TensorFlow")

PHOTOS = TrainingPhotos(IMAGES, LABELS)


def test_teacher_embeddings_are_computed_once(tmp_path: Path) -> None:
    teacher = backbone_parameters(teacher=TEACHER | {"weight": 0.5}).teacher
    first = add_targets(PHOTOS, teacher, tmp_path).targets
    assert first is not None
    assert first.weight == 0.5
    assert len(first.embeddings) == len(IMAGES)
    stored = np.load(tmp_path / TARGETS_FILE)
    np.testing.assert_array_equal(first.embeddings, stored)
    np.save(tmp_path / TARGETS_FILE, stored + 1)
    again = add_targets(PHOTOS, teacher, tmp_path).targets
    assert again is not None
    np.testing.assert_array_equal(again.embeddings, stored + 1)


def test_teacher_without_weight_is_ignored(tmp_path: Path) -> None:
    assert add_targets(PHOTOS, backbone_parameters().teacher, tmp_path) is PHOTOS
