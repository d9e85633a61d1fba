"""Photos and backbones, prepared by pipelines of the project, and features."""

import time
from collections.abc import Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from deltalake import DeltaTable
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from benchmarks.processes import PROJECT
from benchmarks.sections.peers import LARGE_WEIGHTS, SMALL_WEIGHTS
from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.imaging.fitting import Fit, fit

SHIPPED = PROJECT / "data/06_models/backbone"
FIT: Fit = "crop"
"""How the shipped backbone was trained."""

FRUITS, GROCERY = "fruits-360", "grocery"
HELD_OUT_LABELS = {
    FRUITS: [
        *("Cactus fruit", "Carambula", "Granadilla"),
        *("Kumquats", "Quince", "Strawberry"),
    ],
    GROCERY: ["Lime", "Mango", "Pineapple", "Satsumas"],
}
"""Labels that no training uses. None of them is in the other set by another name."""

HELD_OUT_SERIES = "/r"
"""End of the names of held-out series: those of fruit turned about another axis."""

PROCESSES = 2
CHUNK = 250


def load_photos(shared: Path, work: Path) -> dict[str, pd.DataFrame]:
    """Ingest and preprocess the photos.

    Args:
        shared: Folder with a folder of photos for each set.
        work: Folder for tables.

    Returns:
        By set, a row for each photo, by path: `path`, `label`, `split` in lower case,
        `series` (the path if there is none) and `image`, the canonical photo.
    """
    _run(["ingest", "preprocess"], shared, work)
    photos = DeltaTable(work / "root/03_primary/images").to_pandas()
    photos = photos.dropna(subset="image").sort_values("path")
    photos["series"] = photos["series"].fillna(photos["path"])
    photos["split"] = photos["split"].str.lower()
    by_set = photos.groupby(photos["path"].str.partition("/")[0])
    return {name: by_set.get_group(name) for name in (FRUITS, GROCERY)}


def build_imagenet_backbone(
    shared: Path, work: Path, alpha: float, size: int, inner_layers: list[str]
) -> Path:
    """Build MobileNetV2 with ImageNet's weights, without training.

    Args:
        shared: Folder with photos and `keras`, a folder of weights.
        work: Folder for tables and backbones.
        alpha: Width, 0.35 or 1.0.
        size: Side of the input in pixels.
        inner_layers: Layers whose means are appended to the features.

    Returns:
        Folder of the backbone. An existing one is not built again.
    """
    weights = LARGE_WEIGHTS if alpha == 1 else SMALL_WEIGHTS
    backbone = {
        "input_size": size,
        "arguments": {"alpha": alpha},
        "inner_layers": inner_layers,
        "weights": str(shared / "keras" / weights),
        "training": {"epochs": 0},
    }
    folder = work / "-".join(["imagenet", str(alpha), str(size), *inner_layers])
    return _build(folder, shared, work, backbone)


def train_held_out_backbone(shared: Path, work: Path) -> Path:
    """Train a backbone like the shipped one, but without held-out series and labels.

    Arguments and result are those of `build_imagenet_backbone`.
    """
    labels = [*HELD_OUT_LABELS[FRUITS], *HELD_OUT_LABELS[GROCERY]]
    series = f"{HELD_OUT_SERIES}$"
    backbone = {
        "photos": {"held_out_labels": labels, "held_out_series": series},
        "checkpoints": str(work / "training"),
        "weights": str(shared / "keras" / SMALL_WEIGHTS),
        "teacher": {"weights": str(shared / "keras" / LARGE_WEIGHTS)},
    }
    return _build(work / "apart", shared, work, backbone)


def _build(folder: Path, shared: Path, work: Path, backbone: dict[str, Any]) -> Path:
    if not (folder / "card.json").exists():
        pipelines = ["ingest", "preprocess", "backbone"]
        _run(pipelines, shared, work, backbone=backbone, backbone_folder=str(folder))
    return folder


def _run(pipelines: list[str], shared: Path, work: Path, **parameters: Any) -> None:
    bootstrap_project(PROJECT)
    parameters |= {"photos": str(shared), "root": str(work / "root")}
    with KedroSession.create(PROJECT, runtime_params=parameters) as session:
        session.run(pipeline_names=pipelines)  # type: ignore[call-arg]


def embed(folder: Path, images: Sequence[bytes], mode: Fit) -> tuple[np.ndarray, float]:
    """Embed canonical photos in two processes.

    Returns:
        Features, `float32 [n, width]`, and photos per second, decoding included.
    """
    chunks = [images[i : i + CHUNK] for i in range(0, len(images), CHUNK)]
    embed_chunk = partial(_embed_chunk, folder, mode)
    with get_context("spawn").Pool(PROCESSES) as pool:
        pool.map(embed_chunk, [images[:2]] * PROCESSES, chunksize=1)  # warm-up
        begin = time.perf_counter()
        features = np.concatenate(pool.map(embed_chunk, chunks, chunksize=1))
        return features, len(images) / (time.perf_counter() - begin)


def _embed_chunk(folder: Path, mode: Fit, images: Sequence[bytes]) -> np.ndarray:
    backbone = BackboneFolder(filepath=str(folder)).load()
    size = backbone.card.input_size
    return np.array([*backbone.embed(fit(image, size, mode) for image in images)])
