"""Run LiteRT models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np


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

    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter
