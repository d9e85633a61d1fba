"""Run LiteRT models: photo by photo, on one thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np


def run(model: bytes, photos: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Let a model map photos, one by one, on one thread.

    Args:
        model: Content of a LiteRT file with one input and one output.
        photos: What the model takes, of one photo each.

    Yields:
        What it gives for each of them.
    """
    interpreter = _interpreter(model)
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]
    for photo in photos:
        interpreter.set_tensor(source, photo[np.newaxis])
        interpreter.invoke()
        yield interpreter.get_tensor(target)[0]


@lru_cache(maxsize=1)
def _interpreter(model: bytes) -> Any:
    """Load a model once per process: Python workers live longer than a batch."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter
