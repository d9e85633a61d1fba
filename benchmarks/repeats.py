"""Photos repeated under new names with one pixel changed: many, and no two alike."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image

QUALITY = 95
LEVELS = 256


def repeat(source: Path, photos: Sequence[Path], target: Path, copies: int) -> Path:
    """Write `target/copy=0`, `target/copy=1`, ..., all made in the same way.

    Args:
        source: Folder that the photos' paths begin with.
        photos: That are repeated.
        target: Folder for the copies.
        copies: How many of each photo.
    """
    jobs = [
        (path, target / f"copy={i}" / path.relative_to(source).with_suffix(".jpg"), i)
        for i in range(copies)
        for path in photos
    ]
    workers = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(workers) as pool:
        for _ in pool.map(_write_all, _parts(jobs, workers * 8)):
            pass
    return target


def _parts(
    jobs: Sequence[tuple[Path, Path, int]], count: int
) -> list[Sequence[tuple[Path, Path, int]]]:
    return [part for i in range(count) if (part := jobs[i::count])]


def _write_all(jobs: Sequence[tuple[Path, Path, int]]) -> None:
    for old, new, seed in jobs:
        write_changed(old, new, seed)


def write_changed(old: Path, new: Path, seed: int) -> None:
    """Write a photo as a JPEG with another pixel in its corner.

    Args:
        old: The photo.
        new: Where the other one is written.
        seed: Another number makes another photo.
    """
    new.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(old) as photo:
        changed = photo.convert("RGB")
    # A block of 8 x 8 pixels, so that the change outlives the compression.
    level = (seed * 37 + 11) % LEVELS
    changed.paste((level, LEVELS - 1 - level, seed % LEVELS), (0, 0, 8, 8))
    changed.save(new, "JPEG", quality=QUALITY)
