"""Parameters and photos for small backbones."""

from collections.abc import Mapping
from typing import Any

from factories import jpeg

from fruits_pipeline.parameters import BackboneParameters

NETWORK = {
    "architecture": "MobileNet",
    "arguments": {"alpha": 0.25},
    "inner_layers": [],
    "input_size": 32,
    "weights": "random",
}
TEACHER = NETWORK | {"input_size": 48, "weight": 0.0}
TRAINING = {
    "epochs": 1,
    "steps": 2,
    "photos_per_step": 4,
    "learning_rate": 0.001,
    "first_trainable_layer": None,
    "weight_interpolation": 1.0,
}
SELECTION = {
    "splits": ["Training", "train"],
    "held_out_labels": [],
    "held_out_series": None,
}

IMAGES = [jpeg(seed) for seed in range(8)]
LABELS = ["Apple", "Pear"] * 4


def backbone_parameters(
    training: Mapping[str, Any] | None = None, **changes: Any
) -> BackboneParameters:
    """Return parameters of a small network with random weights, and their changes."""
    defaults = {
        **NETWORK,
        "training": TRAINING | {**(training or {})},
        "teacher": TEACHER,
        "photos": SELECTION,
        "checkpoints": "nowhere",
        "seed": 360,
    }
    return BackboneParameters.model_validate(defaults | changes)
