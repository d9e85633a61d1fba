"""What backbones see in photos, and how fast."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.imaging.photos import Fit, fit

PROCESSES = 2
SHARE = 250


@dataclass(frozen=True)
class Seen:
    """Features of photos.

    Attributes:
        features: `float32 [n, width]`.
        rate: Photos a second, decoding and resizing among it, over all processes.
    """

    features: np.ndarray
    rate: float


def see(folder: Path, images: Sequence[bytes], how: Fit) -> Seen:
    """Let a backbone see canonical photos.

    Args:
        folder: Of the backbone.
        images: The photos.
        how: To fit photos that are not square.
    """
    shares = [images[i : i + SHARE] for i in range(0, len(images), SHARE)]
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        [*pool.map(_see, *zip(*[(folder, images[:2], how)] * PROCESSES, strict=True))]
        begin = time.perf_counter()
        jobs = [(folder, share, how) for share in shares]
        found = [*pool.map(_see, *zip(*jobs, strict=True))]
        seconds = time.perf_counter() - begin
    return Seen(np.concatenate(found), len(images) / seconds)


def _see(folder: Path, images: Sequence[bytes], how: Fit) -> np.ndarray:
    backbone = BackboneFolder(filepath=str(folder)).load()
    size = backbone.card.input_size
    return np.array([*backbone.embed(fit(image, size, how) for image in images)])
