"""Programs that sections run in their own process, and networks for them.

Modules with a function `prepare` embed photos; `__main__.py` runs and times them.
"""

from typing import Any

from benchmarks.processes import PROJECT
from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.models.backbones import Backbone

BATCH = 32


def load_backbone() -> Backbone:
    """Return the backbone of the project."""
    return BackboneFolder(filepath=str(PROJECT / "data/06_models/backbone")).load()


def build_mobilenet(alpha: str, size: str, weights: str | None) -> Any:
    """Return Keras' MobileNetV2 without its classification layer."""
    from keras.applications import MobileNetV2

    return MobileNetV2(
        input_shape=(int(size), int(size), 3),
        alpha=float(alpha),
        include_top=False,
        pooling="avg",
        weights=weights,
    )
