"""Inference alone: plain Python processes, one a core, on photos fitted in memory.

No chain with this backbone and one LiteRT thread a core can be faster.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.contestants import common
from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.imaging.photos import fit
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.spark.resources import processors

Share = tuple[Backbone, list[np.ndarray]]


def main() -> None:
    """Fit all photos, then race on all cores."""
    task = common.read_task(__doc__)
    backbone = BackboneFolder(filepath=str(task.backbone)).load()
    size, cores = backbone.card.input_size, processors()
    begin = time.perf_counter()
    pixels = [fit(path.read_bytes(), size, "pad") for path in task.photos]
    fitting = time.perf_counter() - begin
    shares = [(backbone, pixels[core::cores]) for core in range(cores)]
    result = common.race(shares, _warm_up, _embed)
    detail = {"processes": cores, "size": size}
    common.report(result.photos, result.seconds, result.started - fitting, detail)


def _warm_up(share: Share) -> Share:
    backbone, pixels = share
    _embed((backbone, pixels[: common.WARM_UP]))
    return share


def _embed(share: Share) -> int:
    backbone, pixels = share
    return len(list(backbone.embed(pixels)))


if __name__ == "__main__":
    main()
