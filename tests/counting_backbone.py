"""A backbone and a decoder that count photos, across processes.

They are in a module of their own because Spark's workers import it.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.spark.arrow import make_canonical
from fruits_pipeline.spark.parts import Rows


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


def decode_counting(rows: Rows, folder: Path, **settings: float) -> Rows:
    """Decode photos, and append a byte to a file of this process for each photo.

    Args:
        rows: `PHOTOS` rows.
        folder: Folder of the files.
        **settings: Further arguments of `make_canonical`.
    """

    def count(rows: Rows) -> Rows:
        for batch in rows:
            with (folder / str(os.getpid())).open("ab") as file:
                file.write(b"." * batch["error"].null_count)
            yield batch

    return make_canonical(count(rows), **settings)  # type: ignore[arg-type]


def count_photos(folder: Path) -> int:
    """Return the number of photos that all processes have counted."""
    return sum(file.stat().st_size for file in folder.iterdir())
