"""Balanced and augmented batches of labelled photos."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from fruits_pipeline.imaging.augmentation import augment
from fruits_pipeline.imaging.canonical import decode
from fruits_pipeline.imaging.white_background import has_white_background
from fruits_pipeline.parameters import TrainingParameters

PREFETCHED_BATCHES = 4

EXTRA_FRUITS = 3
"""Number of photos of the same stratum from which `augment` may paste fruits."""

FEATURE_OUTPUT, SIMILARITY_OUTPUT = "copied", "alike"
"""Names of the outputs that learn from the teacher. Do not change: model cards and
training curves contain their losses as `copied_loss` and `alike_loss`."""

Batch = tuple[np.ndarray, dict[str, np.ndarray]]
"""Pixels, `uint8 [n, size, size, 3]`, and the targets of each output of the model."""


@dataclass(frozen=True)
class TeacherTargets:
    """Targets of knowledge distillation.

    Attributes:
        embeddings: Teacher embeddings of the photos, `float32 [n, d]`, centred.
        weight: Weight of the distillation losses relative to the label loss.
    """

    embeddings: np.ndarray
    weight: float


@dataclass(frozen=True)
class TrainingPhotos:
    """Photos to train on.

    Attributes:
        images: Canonical photos.
        labels: Label of each photo.
        targets: Targets of knowledge distillation; None to train without a teacher.
    """

    images: Sequence[bytes]
    labels: Sequence[str]
    targets: TeacherTargets | None = None


class TrainingBatches:
    """Batches of training photos with balanced sampling.

    The studio photos (with a white background) and the shop photos of a label are two
    strata. All strata are drawn equally often, regardless of their size. Each batch depends
    only on the seed, the epoch and the step, so that an interrupted training can be
    resumed.

    Args:
        photos: Photos to train on.
        parameters: Parameters of the training.
        size: Side of the square input of the network in pixels.
        seed: Seed of sampling and augmentation.
    """

    def __init__(
        self,
        photos: TrainingPhotos,
        parameters: TrainingParameters,
        size: int,
        seed: int,
    ) -> None:
        self.photos, self.parameters = photos, parameters
        self.size, self.seed = size, seed
        names, self.labels = np.unique(photos.labels, return_inverse=True)
        self.one_hot = np.eye(len(names), dtype=np.float32)
        studio = np.array([has_white_background(decode(i)) for i in photos.images])
        _, self.strata = np.unique(2 * self.labels + studio, return_inverse=True)
        self.members = [  # photos of each stratum
            np.flatnonzero(self.strata == stratum)
            for stratum in range(self.strata.max() + 1)
        ]
        # Shop photos, or all photos if there are no shop photos.
        self.backgrounds = np.flatnonzero(studio.all() | ~studio)

    def iterate(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch; two threads prepare the next batches."""
        steps = range(self.parameters.steps)
        with ThreadPoolExecutor(2) as pool:
            pending = [
                pool.submit(self.batch, epoch, step)
                for step in steps[:PREFETCHED_BATCHES]
            ]
            for step in steps:
                yield pending.pop(0).result()
                if (following := step + PREFETCHED_BATCHES) < len(steps):
                    pending.append(pool.submit(self.batch, epoch, following))

    def batch(self, epoch: int, step: int) -> Batch:
        """Return one batch of an epoch."""
        rng = np.random.default_rng((self.seed, epoch, step))
        strata = self._sample_strata(rng)
        rows = [rng.choice(self.members[stratum]) for stratum in strata]
        pixels = np.stack([self._augment(row, rng) for row in rows])
        targets = {"label": self.one_hot[self.labels[rows]]}
        if self.photos.targets is not None:
            embeddings = self.photos.targets.embeddings[rows]
            targets |= {FEATURE_OUTPUT: embeddings, SIMILARITY_OUTPUT: embeddings}
        return pixels, targets

    def _sample_strata(self, rng: np.random.Generator) -> np.ndarray:
        """Return a stratum for each photo of a batch: repeated permutations of all strata."""
        count = self.parameters.photos_per_step
        rounds = math.ceil(count / len(self.members))
        orders = [rng.permutation(len(self.members)) for _ in range(rounds)]
        return np.concatenate(orders)[:count]

    def _augment(self, row: int, rng: np.random.Generator) -> np.ndarray:
        """Return an augmented photo, `uint8 [size, size, 3]`."""

        def sample_photos() -> list[np.ndarray]:
            background = rng.choice(self.backgrounds)
            fruits = rng.choice(self.members[self.strata[row]], EXTRA_FRUITS)
            return [decode(self.photos.images[i]) for i in (background, *fruits)]

        photo = decode(self.photos.images[row])
        return augment(photo, self.size, sample_photos, rng)
