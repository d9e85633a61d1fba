"""The backbones that are compared, built and trained where they are missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from protocols.photos import APART, FRUITS, GROCERY, LEFT_OUT, PROJECT

SMALL = "models/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"
LARGE = "mobilenet_v2_1.0_224_no_top.weights.h5"
SHIPPED = PROJECT / "data/06_models/backbone"


def plain(
    shared: Path, work: Path, alpha: float, size: int, inner_layers: Sequence[str]
) -> Path:
    """Return the folder of a backbone of ImageNet's weights, untouched.

    Args:
        shared: Folder with the weights.
        work: Where it is kept.
        alpha: 0.35 or 1.0.
        size: Of its input, in pixels.
        inner_layers: Whose means are among the features.
    """
    folder = work / "-".join(["imagenet", str(alpha), str(size), *inner_layers])
    weights = shared / "keras" / (LARGE if alpha == 1 else SMALL)
    chosen = {
        "input_size": size,
        "arguments": {"alpha": alpha},
        "inner_layers": [*inner_layers],
        "weights": str(weights),
    }
    _build(folder, work, ["backbone"], {"backbone": chosen | _epochs(0)})
    return folder


def apart(shared: Path, work: Path) -> Path:
    """Return the folder of a backbone trained as the shipped one, on fewer photos.

    Args:
        shared: Folder with photos and weights.
        work: Where it is kept, and the state of its training.
    """
    folder = work / "apart"
    left_out = {
        "held_out_labels": [*LEFT_OUT[FRUITS], *LEFT_OUT[GROCERY]],
        "held_out_series": f"/{APART}$",
    }
    stages = ["ingest", "preprocess", "backbone"]
    chosen = {
        "photos": left_out,
        "checkpoints": str(work / "training"),
        **given(shared),
    }
    _build(folder, work, stages, {"photos": str(shared), "backbone": chosen})
    return folder


def given(shared: Path) -> dict[str, Any]:
    """Return the weights of network and teacher, as parameters."""
    return {
        "weights": str(shared / "keras" / SMALL),
        "teacher": {"weights": str(shared / "keras" / LARGE)},
    }


def _epochs(count: int) -> dict[str, Any]:
    return {"training": {"epochs": count}}


def _build(
    folder: Path, work: Path, stages: list[str], parameters: dict[str, Any]
) -> None:
    if (folder / "card.json").exists():
        return
    bootstrap_project(PROJECT)
    places = {"root": str(work / "root"), "backbone_folder": str(folder)}
    with KedroSession.create(
        project_path=PROJECT, runtime_params=parameters | places
    ) as session:
        session.run(pipeline_names=stages)  # type: ignore[call-arg]
