"""A backbone that counts the photos it embeds, across processes.

It is in a module of its own because Spark's workers import it.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from fruits_pipeline.models.backbones import Backbone


class CountingBackbone(Backbone):
    """A backbone that appends a byte to a file of its process for each photo.

    Args:
        backbone: The backbone to copy.
        folder: Folder of the files.
    """

    def __init__(self, backbone: Backbone, folder: Path) -> None:
        super().__init__(backbone.model, backbone.card)
        self.folder = folder

    def embed(self, photos: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        with (self.folder / str(os.getpid())).open("ab", buffering=0) as file:
            for features in super().embed(photos):
                file.write(b".")
                yield features


def count_embedded_photos(folder: Path) -> int:
    """Return the number of photos embedded in all processes."""
    return sum(file.stat().st_size for file in folder.iterdir())
