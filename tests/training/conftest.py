from collections.abc import Iterator
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


@pytest.fixture
def eagerly() -> Iterator[None]:
    """Train without compiling the network, which takes longer than a few steps."""
    functions = pytest.importorskip("tensorflow").config
    functions.run_functions_eagerly(True)
    yield
    functions.run_functions_eagerly(False)
