"""Inference alone: LiteRT in one process per core, on photos decoded at start-up."""

from collections.abc import Callable
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from benchmarks.programs import load_backbone
from fruits_pipeline.imaging.fitting import fit
from fruits_pipeline.spark.resources import cpu_count

BACKBONE = load_backbone()
PIXELS: list[np.ndarray] = []  # filled before processes are forked


def prepare(photos: list[str], _: Path) -> Callable[[int], object]:
    """Return a function that embeds the first n photos."""
    size, cores = BACKBONE.card.input_size, cpu_count()
    PIXELS.extend(fit(Path(photo).read_bytes(), size, "pad") for photo in photos)
    pool = Pool(cores)

    def embed(count: int) -> None:
        shares = [slice(core, count, cores) for core in range(cores)]
        pool.map(_embed_share, shares, chunksize=1)

    return embed


def _embed_share(share: slice) -> int:
    return len(list(BACKBONE.embed(PIXELS[share])))
