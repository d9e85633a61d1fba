import subprocess
import sys

import pytest
from factories import BACKBONE

from fruits_pipeline.logs import LogFormat

PROGRAM = """
import os, sys
import numpy as np
from fruits_pipeline import logs
from fruits_pipeline.models import litert
logs.use_format(sys.argv[1])
with open(sys.argv[2], "rb") as file:
    model = file.read()
(features,) = litert.run(model, [np.zeros((128, 128, 3), np.uint8)])
assert np.isfinite(features).all()
os.write(2, b"after\\n")
"""


def run_model(log_format: LogFormat) -> str:
    """Run the backbone in a new process, and return what it writes to stderr."""
    model = BACKBONE / "backbone.tflite"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, log_format, model],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stderr


@pytest.mark.parametrize(("log_format", "shown"), [("text", True), ("json", False)])
def test_json_log_has_no_message_of_litert(log_format: LogFormat, shown: bool) -> None:
    stderr = run_model(log_format)
    assert ("XNNPACK" in stderr) == shown
    assert stderr.endswith("after\n")
