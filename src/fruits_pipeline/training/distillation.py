"""Knowledge distillation: embeddings of a larger network as targets.

The teacher is not trained; the backbone learns to predict its embeddings (Romero et al.:
FitNets: Hints for Thin Deep Nets, 2015) and the similarities between them (see
`objective.similarity_loss`).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np

from fruits_pipeline.imaging.fitting import fit
from fruits_pipeline.io.files import write_atomically
from fruits_pipeline.models import pca
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.parameters import TeacherParameters
from fruits_pipeline.training.data import TeacherTargets, TrainingPhotos
from fruits_pipeline.training.litert_export import export_backbone
from fruits_pipeline.training.networks import add_inner_layers, build_network

logger = logging.getLogger(__name__)

TARGET_VARIANCE = 0.9
"""Share of the variance of the teacher's features that the targets keep."""

TARGETS_FILE = "targets.npy"


def add_targets(
    photos: TrainingPhotos, teacher: TeacherParameters, folder: Path
) -> TrainingPhotos:
    """Return the photos with teacher embeddings, or unchanged if `teacher.weight` is 0.

    Args:
        photos: Photos to train on.
        teacher: Parameters of the teacher.
        folder: Folder for the embeddings; stored embeddings are reused.

    Raises:
        FruitsError: If the architecture or the weights do not exist.
    """
    if not teacher.weight:
        return photos
    file = folder / TARGETS_FILE
    if not file.exists():
        content = BytesIO()
        np.save(content, _embed(photos, teacher))
        write_atomically(str(file), content.getvalue())
    return replace(photos, targets=TeacherTargets(np.load(file), teacher.weight))


def _embed(photos: TrainingPhotos, teacher: TeacherParameters) -> np.ndarray:
    """Return the principal components of the teacher's features, `float32 [n, d]`."""
    logger.info("Computing teacher embeddings of %d photos", len(photos.images))
    network = add_inner_layers(build_network(teacher), teacher.inner_layers)
    backbone = export_backbone(network, teacher, training={})
    pixels = (fit(image, teacher.input_size, "crop") for image in photos.images)
    features = np.array([*backbone.embed(pixels)])
    model = pca.fit(
        moments_of(features), TARGET_VARIANCE, standardise=True, max_components=None
    )
    return model.transform(features)
