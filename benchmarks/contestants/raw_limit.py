"""Plain Python processes, one a core: read, fit, embed, and nothing else.

What this machine can do with the project's own arithmetic; no Spark, no tables.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from benchmarks.contestants import common
from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.imaging.photos import fit
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.spark.resources import processors

Item = TypeVar("Item")
Made = TypeVar("Made")
Share = tuple[Backbone, list[Path]]

TAKEN_APART = 256
"""Photos on which each step is timed by itself."""


def main() -> None:
    """Race on all cores, then take one process' time apart."""
    task = common.read_task(__doc__)
    backbone = BackboneFolder(filepath=str(task.backbone)).load()
    cores = processors()
    shares = [(backbone, task.photos[core::cores]) for core in range(cores)]
    result = common.race(shares, _warm_up, _embed)
    detail = {"processes": cores, "size": backbone.card.input_size}
    detail |= _microseconds(backbone, task.photos[:TAKEN_APART])
    common.report(result.photos, result.seconds, result.started, detail)


def _warm_up(share: Share) -> Share:
    backbone, paths = share
    _embed((backbone, paths[: common.WARM_UP]))
    return share


def _embed(share: Share) -> int:
    backbone, paths = share
    size = backbone.card.input_size
    photos = (fit(path.read_bytes(), size, "pad") for path in paths)
    return len(list(backbone.embed(photos)))


def _microseconds(backbone: Backbone, paths: list[Path]) -> dict[str, float]:
    """Return what each step takes per photo in one process that has the machine.

    Args:
        backbone: To run.
        paths: Of photos, which the race has left in the page cache.

    Returns:
        Medians in microseconds, by step.
    """
    size = backbone.card.input_size
    _warm_up((backbone, paths))
    contents, read = _timed(Path.read_bytes, paths)
    pixels, decode = _timed(lambda content: fit(content, size, "pad"), contents)
    # One generator for all photos, as in the race, so that each is only inference.
    features = backbone.embed(pixels)
    _, infer = _timed(lambda _: next(features), pixels)
    return {"read_us": read, "decode_resize_us": decode, "infer_us": infer}


def _timed(
    step: Callable[[Item], Made], items: Iterable[Item]
) -> tuple[list[Made], float]:
    """Return what a step makes of each item, and its median time in microseconds."""
    made, times = [], []
    for item in items:
        begin = time.perf_counter_ns()
        made.append(step(item))
        times.append(time.perf_counter_ns() - begin)
    return made, round(statistics.median(times) / 1000, 1)


if __name__ == "__main__":
    main()
