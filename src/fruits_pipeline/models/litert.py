"""Run LiteRT models."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from typing import Any

import numpy as np

from fruits_pipeline.logs import is_json


def run(model: bytes, photos: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Run a model on photos, one at a time, on one thread.

    Args:
        model: Content of a LiteRT file with one input and one output, both of batch
            size 1.
        photos: Inputs, without the batch dimension.

    Yields:
        The output for each photo, without the batch dimension.
    """
    interpreter = _interpreter(model)
    input_index = interpreter.get_input_details()[0]["index"]
    output_index = interpreter.get_output_details()[0]["index"]
    for photo in photos:
        interpreter.set_tensor(input_index, photo[np.newaxis])
        interpreter.invoke()
        yield interpreter.get_tensor(output_index)[0]


@lru_cache(maxsize=1)
def _interpreter(model: bytes) -> Any:
    """Return an interpreter, cached because a Python worker runs many batches."""
    from ai_edge_litert.interpreter import Interpreter

    with hidden_messages() if is_json() else nullcontext():
        interpreter = Interpreter(model_content=model, num_threads=1)
        interpreter.allocate_tensors()
    return interpreter


@contextmanager
def hidden_messages() -> Iterator[None]:
    """Discard what native code writes to standard error.

    LiteRT writes a line about itself, which no setting prevents. Its errors are raised.
    """
    kept, discarded = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(discarded, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(discarded)
