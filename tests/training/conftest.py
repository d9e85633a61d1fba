from pathlib import Path
from typing import Any

import pytest

WEIGHTS = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5"


@pytest.fixture(scope="session")
def imagenet(shared: Path) -> dict[str, Any]:
    """Return parameters of MobileNetV2 with ImageNet weights from a file."""
    return {
        "architecture": "MobileNetV2",
        "arguments": {"alpha": 0.35},
        "weights": str(shared / "keras/models" / WEIGHTS),
    }
