"""Batches of labelled photos, each a function of its number, as a training needs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from fruits_pipeline.imaging.augmentation import augment, is_studio
from fruits_pipeline.imaging.photos import decode
from fruits_pipeline.parameters import TrainingParameters

AHEAD = 4
"""Batches that are prepared while another one is trained on."""

SAME_FRUIT = 3
"""Other photos of the same label that may be laid beside one."""

COPIED, ALIKE = "copied", "alike"
"""What is learned from a teacher: what it sees in a photo, and how alike it sees two."""

Batch = tuple[np.ndarray, dict[str, np.ndarray]]
"""Pixels, `uint8 [n, size, size, 3]`, and what is to be said of them."""


@dataclass(frozen=True)
class Targets:
    """What a teacher sees.

    Attributes:
        seen: In each photo, `float32 [n, d]`.
        weight: Of the loss to see the same, against that to tell labels apart.
    """

    seen: np.ndarray
    weight: float


@dataclass(frozen=True)
class TrainingPhotos:
    """Photos to train on.

    Attributes:
        images: Canonical photos.
        labels: Of each of them.
        targets: What a teacher sees in them; None without one.
    """

    images: Sequence[bytes]
    labels: Sequence[str]
    targets: Targets | None = None


class TrainingBatches:
    """Batches to train on, each by its epoch and number alone.

    Labels come in turn, from the studio and from elsewhere, so that each is seen as often
    in both, however many photos there are of it.
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
        names = np.array(sorted({*photos.labels}))
        self.labels = np.searchsorted(names, photos.labels)
        self.one_hot = np.eye(len(names), dtype=np.float32)
        count = len(photos.images)
        studio = np.array([is_studio(self.photo(number)) for number in range(count)])
        kinds = np.unique(np.stack([self.labels, studio]), axis=1, return_inverse=True)
        self.of_kind = [np.flatnonzero(kinds[1] == i) for i in range(kinds[0].shape[1])]
        self.kinds = kinds[1]
        self.backgrounds = np.flatnonzero(~studio) if (~studio).any() else range(count)

    def photo(self, number: int) -> np.ndarray:
        """Return the pixels of one of the photos."""
        return decode(self.photos.images[number])

    def of_epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, prepared ahead by threads."""
        steps = range(self.parameters.steps)
        with ThreadPoolExecutor(2) as pool:
            coming = [pool.submit(self.batch, epoch, s) for s in steps[:AHEAD]]
            for step in steps:
                yield coming.pop(0).result()
                if step + AHEAD < len(steps):
                    coming.append(pool.submit(self.batch, epoch, step + AHEAD))

    def batch(self, epoch: int, step: int) -> Batch:
        """Return one batch of an epoch."""
        rng = np.random.default_rng((self.seed, epoch, step))
        numbers = [rng.choice(self.of_kind[kind]) for kind in self._in_turn(rng)]
        pixels = np.stack([self._augmented(number, rng) for number in numbers])
        said = {"label": self.one_hot[self.labels[numbers]]}
        if self.photos.targets is not None:
            seen = self.photos.targets.seen[numbers]
            said |= {COPIED: seen, ALIKE: seen}
        return pixels, said

    def _in_turn(self, rng: np.random.Generator) -> np.ndarray:
        """Return a kind for each photo of a batch, all of them about as often."""
        count = self.parameters.photos_per_step
        rounds = -(-count // len(self.of_kind))
        turns = [rng.permutation(len(self.of_kind)) for _ in range(rounds)]
        return np.concatenate(turns)[:count]

    def _augmented(self, number: int, rng: np.random.Generator) -> np.ndarray:
        same = self.of_kind[self.kinds[number]]

        def others() -> list[np.ndarray]:
            chosen = [rng.choice(self.backgrounds), *rng.choice(same, SAME_FRUIT)]
            return [self.photo(other) for other in chosen]

        return augment(self.photo(number), self.size, others, rng)
