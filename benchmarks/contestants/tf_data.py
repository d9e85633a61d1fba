"""Photos to features with tf.data and Keras, as TensorFlow's performance guide has it.

Reading, decoding and resizing in a parallel map, batches of 32, prefetch, predict; one
process whose threads TensorFlow shares out. Features end in one .npy file.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.contestants import common

if TYPE_CHECKING:
    import tensorflow as tf

PHOTOS_PER_STEP = 32


def main() -> None:
    """Embed 16 photos, then all of them on the clock."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    task = common.read_task(__doc__, needs_weights=True)
    common.need("tensorflow")
    network = _network(task)
    network.predict(_dataset(task.warm_up, task.size), verbose=0)
    started, begin = common.age(), time.perf_counter()
    features = network.predict(_dataset(task.photos, task.size), verbose=0)
    embedded = time.perf_counter()
    np.save(task.work / "features.npy", features)
    end = time.perf_counter()
    detail = {
        "features_s": round(embedded - begin, 3),
        "write_s": round(end - embedded, 3),
        "alpha": task.alpha,
        "size": task.size,
        "width": features.shape[1],
    }
    common.report(len(features), end - begin, started, detail)


def _network(task: common.Task) -> Any:
    from keras.applications import MobileNetV2

    return MobileNetV2(
        input_shape=(task.size, task.size, 3),
        alpha=task.alpha,
        include_top=False,
        pooling="avg",
        weights=str(task.weights),
    )


def _dataset(photos: list[Path], size: int) -> tf.data.Dataset:
    """Return scaled photos, `float32 [up to 32, size, size, 3]`, read as they are used."""
    import tensorflow as tf
    from keras.applications.mobilenet_v2 import preprocess_input

    def load(path: tf.Tensor) -> tf.Tensor:
        pixels = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return preprocess_input(tf.image.resize(pixels, (size, size)))

    return (
        tf.data.Dataset.from_tensor_slices([str(photo) for photo in photos])
        .map(load, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(PHOTOS_PER_STEP)
        .prefetch(tf.data.AUTOTUNE)
    )


if __name__ == "__main__":
    main()
