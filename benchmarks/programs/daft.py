"""Daft, as in its guides on images and class UDFs; one process, one thread per core.

`download`, `decode_image`, `resize`, a class UDF that runs the backbone, `write_parquet`.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import daft
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from daft.functions import decode_image, download, resize

from benchmarks.programs import BATCH, load_backbone
from fruits_pipeline.spark.resources import cpu_count

BACKBONE = load_backbone()
FEATURES = daft.DataType.embedding(daft.DataType.float32(), BACKBONE.card.width)


@daft.cls(max_concurrency=cpu_count())
class Embed:
    """Maps images to features; Daft calls it from several threads."""

    def __init__(self) -> None:
        self.local = threading.local()  # an interpreter can be used by one thread

    @daft.method.batch(return_dtype=FEATURES, batch_size=BATCH)
    def __call__(self, images: daft.Series) -> np.ndarray:
        """Embed a batch."""
        if not hasattr(self.local, "interpreter"):
            interpreter = Interpreter(model_content=BACKBONE.model, num_threads=1)
            interpreter.allocate_tensors()
            self.local.interpreter = interpreter
        return np.concatenate([self._infer(pixels) for pixels in images.to_pylist()])

    def _infer(self, pixels: np.ndarray) -> np.ndarray:
        interpreter = self.local.interpreter
        source = interpreter.get_input_details()[0]["index"]
        target = interpreter.get_output_details()[0]["index"]
        interpreter.set_tensor(source, pixels[np.newaxis])
        interpreter.invoke()
        return interpreter.get_tensor(target)


def prepare(photos: list[str], work: Path) -> Callable[[int], object]:
    """Return a function that embeds the first n photos and writes the features."""
    quiet = {"DAFT_ANALYTICS_ENABLED": "0", "DAFT_PROGRESS_BAR": "0"}
    os.environ.update({**quiet, "DAFT_RUNNER": "native"})
    size = BACKBONE.card.input_size

    def embed(count: int) -> None:
        frame = daft.from_pydict({"path": photos[:count]})
        pixels = decode_image(download(daft.col("path")), mode=daft.ImageMode.RGB)
        features = Embed()(resize(pixels, size, size)).alias("features")
        frame.select("path", features).write_parquet(str(work / f"features-{count}"))

    return embed
