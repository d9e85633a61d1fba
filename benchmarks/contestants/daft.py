"""Photos to features with Daft, as its guides on images and class UDFs have it.

download, decode_image and resize, a class UDF that runs the project's LiteRT backbone,
write_parquet; one process with a thread a core. Daft 0.7 keeps a UDF that takes images
in its own threads, `use_process` or not, and they share its instance, so each has an
interpreter of its own. LiteRT lets go of Python's lock while it infers.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.contestants import common
from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.spark.resources import processors

if TYPE_CHECKING:
    import daft

PHOTOS_PER_STEP = 32
QUIET = {
    "DAFT_ANALYTICS_ENABLED": "0",
    "DAFT_PROGRESS_BAR": "0",
    "DAFT_RUNNER": "native",
    "DO_NOT_TRACK": "1",
}


def main() -> None:
    """Embed 16 photos, then all of them on the clock."""
    os.environ.update(QUIET)
    task = common.read_task(__doc__)
    common.need("daft")
    backbone = BackboneFolder(filepath=str(task.backbone)).load()
    _frame(task.warm_up, backbone).write_parquet(common.emptied(task.work / "warm_up"))
    target = common.emptied(task.work / "features")
    started, begin = common.age(), time.perf_counter()
    _frame(task.photos, backbone).write_parquet(target)
    seconds = time.perf_counter() - begin
    detail = {"threads": processors(), "photos_per_step": PHOTOS_PER_STEP}
    common.report(common.rows(target), seconds, started, detail)


def _frame(photos: list[Path], backbone: Backbone) -> daft.DataFrame:
    """Return path and features of photos, not yet computed."""
    import daft
    from daft.functions import decode_image, download, resize

    size = backbone.card.input_size
    frame = daft.from_pydict({"path": [str(photo) for photo in photos]})
    pixels = decode_image(download(daft.col("path")), mode=daft.ImageMode.RGB)
    embed = _embedder(backbone)
    return frame.with_column("image", resize(pixels, size, size)).select(
        "path", embed(daft.col("image")).alias("features")
    )


def _embedder(backbone: Backbone) -> Any:
    """Return a class UDF from images to features, `float32 [width]`."""
    import daft

    width = backbone.card.width
    features = daft.DataType.embedding(daft.DataType.float32(), width)

    @daft.cls(max_concurrency=processors())
    class Embed:
        def __init__(self, model: bytes) -> None:
            self.model = model
            self.own = threading.local()

        @daft.method.batch(return_dtype=features, batch_size=PHOTOS_PER_STEP)
        def __call__(self, images: daft.Series) -> np.ndarray:
            if not hasattr(self.own, "infer"):
                self.own.infer = _inference(self.model)
            found = np.empty((len(images), width), np.float32)
            for row, pixels in enumerate(images.to_pylist()):
                found[row] = self.own.infer(pixels)
            return found

    return Embed(backbone.model)


def _inference(model: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """Return what `Backbone.embed` does to a photo, with an interpreter of its own.

    That one keeps one interpreter per process, which is not for several threads.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]

    def infer(pixels: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source, pixels[np.newaxis])
        interpreter.invoke()
        return interpreter.get_tensor(target)[0]

    return infer


if __name__ == "__main__":
    main()
