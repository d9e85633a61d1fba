"""Ray Data, as in its guides on images and batch inference.

`read_binary_files` (`read_images` takes twice as long on small photos), a pool of actors
that fit photos and run the backbone, `write_parquet`. Ray starts the actors when the
dataset is computed, so their start is part of the timed work.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import ray
import ray.data

from benchmarks.programs import BATCH, load_backbone
from fruits_pipeline.imaging.fitting import fit
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.spark.resources import cpu_count

# Tasks that read and write need a CPU: if actors had all of them, nothing would be read.
CPUS_PER_ACTOR = 0.5
MIN_CPUS = 2


class Embed:
    """Replaces `bytes` by `features`, `float32 [batch, width]`; each actor has one."""

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Embed a batch."""
        size = self.backbone.card.input_size
        photos = (fit(content, size, "pad") for content in batch["bytes"])
        features = np.stack(list(self.backbone.embed(photos)))
        return {"path": batch["path"], "features": features}


def prepare(photos: list[str], work: Path) -> Callable[[int], object]:
    """Return a function that embeds the first n photos and writes the features."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Ray's sockets need a short path, which the work folder may not have.
    folder = tempfile.mkdtemp(prefix="ray-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ray.init(
        address="local",
        num_cpus=max(cpu_count(), MIN_CPUS),
        include_dashboard=False,
        logging_level="ERROR",
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
        _temp_dir=folder,
    )
    ray.data.DataContext.get_current().enable_progress_bars = False
    backbone = load_backbone()

    def embed(count: int) -> None:
        dataset = ray.data.read_binary_files(photos[:count], include_paths=True)
        dataset.map_batches(
            Embed,
            fn_constructor_args=(backbone,),
            batch_size=BATCH,
            num_cpus=CPUS_PER_ACTOR,
            compute=ray.data.ActorPoolStrategy(size=cpu_count()),
        ).write_parquet(str(work / f"features-{count}"))

    return embed
