"""Photos to features with Ray Data, as its guides on images and batch inference have it.

read_binary_files, a callable class in a pool of actors that fits photos and runs the
project's LiteRT backbone, write_parquet. read_images, the other way of the guides, took
twice as long on small photos. Ray starts the actors of a pipeline when it runs: their
start is in the timed work, as it is for every user of Ray Data.

Each actor holds half a processor: reading and writing are tasks of their own that need
one, and a pool that holds all of them would wait for its first photo forever.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.contestants import common
from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.imaging.photos import fit
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.spark.resources import processors

if TYPE_CHECKING:
    import ray.data

PHOTOS_PER_STEP = 32
CPUS_PER_ACTOR = 0.5
LEAST_CPUS = 2


class Embed:
    """A stateful transform: an actor holds one backbone.

    Args:
        backbone: To run.
    """

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Replace `bytes` by `features`, `float32 [n, width]`."""
        size = self.backbone.card.input_size
        photos = (fit(content, size, "pad") for content in batch["bytes"])
        features = np.stack(list(self.backbone.embed(photos)))
        return {"path": batch["path"], "features": features}


def main() -> None:
    """Embed 16 photos, then all of them on the clock."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    task = common.read_task(__doc__)
    common.need("ray")
    backbone = BackboneFolder(filepath=str(task.backbone)).load()
    target = task.work / "features"
    with _runtime():
        _dataset(task.warm_up, backbone).write_parquet(
            common.emptied(task.work / "warm_up")
        )
        common.emptied(target)
        started, begin = common.age(), time.perf_counter()
        _dataset(task.photos, backbone).write_parquet(str(target))
        seconds = time.perf_counter() - begin
    detail = {"actors": processors(), "photos_per_step": PHOTOS_PER_STEP}
    common.report(common.rows(target), seconds, started, detail)


@contextmanager
def _runtime() -> Iterator[None]:
    """Start Ray on this machine alone, and stop it."""
    import ray
    import ray.data

    # Not in the work folder: Ray's sockets are below it, and theirs are short paths.
    folder = tempfile.mkdtemp(prefix="ray-")
    ray.init(
        address="local",
        num_cpus=max(processors(), LEAST_CPUS),
        include_dashboard=False,
        logging_level="ERROR",
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
        _temp_dir=folder,
    )
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    try:
        yield
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def _dataset(photos: list[Path], backbone: Backbone) -> ray.data.Dataset:
    """Return path and features of photos, not yet computed."""
    import ray.data

    paths = [str(photo) for photo in photos]
    return ray.data.read_binary_files(paths, include_paths=True).map_batches(
        Embed,
        fn_constructor_args=(backbone,),
        batch_size=PHOTOS_PER_STEP,
        num_cpus=CPUS_PER_ACTOR,
        compute=ray.data.ActorPoolStrategy(size=processors()),
    )


if __name__ == "__main__":
    main()
