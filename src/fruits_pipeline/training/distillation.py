"""What a larger network, as it is, sees in the photos that a smaller one is trained on.

TensorFlow is needed to import this module.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np

from fruits_pipeline.imaging.photos import fit
from fruits_pipeline.io.files import write_whole
from fruits_pipeline.models import pca
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.parameters import TeacherParameters
from fruits_pipeline.training.data import Targets, TrainingPhotos
from fruits_pipeline.training.litert_export import to_backbone
from fruits_pipeline.training.networks import build_network, with_inner_layers

logger = logging.getLogger(__name__)

TAUGHT = 0.9
"""Share of the variance of a teacher's features that is learned from it."""

TARGETS = "targets.npy"


def taught(
    photos: TrainingPhotos, teacher: TeacherParameters, folder: Path
) -> TrainingPhotos:
    """Return photos with what a teacher sees in them, unless it has no weight.

    Args:
        photos: To train on.
        teacher: The larger network.
        folder: Where what it sees is kept, and found again.

    Raises:
        FruitsError: There is no such architecture, or no such weights.
    """
    if not teacher.weight:
        return photos
    if not (folder / TARGETS).exists():
        content = BytesIO()
        np.save(content, _seen(photos, teacher))
        write_whole(str(folder / TARGETS), content.getvalue())
    targets = Targets(np.load(folder / TARGETS), teacher.weight)
    return replace(photos, targets=targets)


def _seen(photos: TrainingPhotos, teacher: TeacherParameters) -> np.ndarray:
    """Return the principal components of what a teacher sees, `float32 [n, k]`."""
    logger.info("The teacher looks at %d photos", len(photos.images))
    network = with_inner_layers(build_network(teacher), teacher.inner_layers)
    seeing = to_backbone(network, teacher, training={})
    fitted = (fit(image, teacher.input_size, "crop") for image in photos.images)
    features = np.array([*seeing.embed(fitted)])
    model = pca.fit(moments_of(features), TAUGHT, standardise=True, max_components=None)
    return model.transform(features)
