import os
import sys

import numpy as np
import pytest
from factories import BACKBONE

from fruits_pipeline import logs
from fruits_pipeline.models import litert


def run_model(capfd: pytest.CaptureFixture[str]) -> str:
    """Run the backbone in a new interpreter, and return what was written to stderr."""
    litert._interpreter.cache_clear()
    model = (BACKBONE / "backbone.tflite").read_bytes()
    capfd.readouterr()
    (features,) = litert.run(model, [np.zeros((128, 128, 3), np.uint8)])
    assert np.isfinite(features).all()
    os.write(2, b"after\n")
    return capfd.readouterr().err


def test_json_log_has_no_message_of_litert(capfd: pytest.CaptureFixture[str]) -> None:
    assert "XNNPACK" in run_model(capfd)
    logs.use_format("json")
    try:
        assert run_model(capfd) == "after\n"
    finally:
        logs.use_format("text")
    assert sys.stderr.writable()
