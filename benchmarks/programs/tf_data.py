"""tf.data and Keras in one process, as in TensorFlow's guide on input performance."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from keras.applications.mobilenet_v2 import preprocess_input

from benchmarks.programs import BATCH, build_mobilenet


def prepare(
    photos: list[str], work: Path, weights: str, alpha: str, size: str
) -> Callable[[int], object]:
    """Return a function that embeds the first n photos and writes the features."""
    network = build_mobilenet(alpha, size, weights)

    def load(path: tf.Tensor) -> tf.Tensor:
        pixels = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return preprocess_input(tf.image.resize(pixels, (int(size), int(size))))

    def embed(count: int) -> None:
        paths = tf.data.Dataset.from_tensor_slices(photos[:count])
        pixels = paths.map(load, num_parallel_calls=tf.data.AUTOTUNE)
        batches = pixels.batch(BATCH).prefetch(tf.data.AUTOTUNE)
        np.save(work / "features.npy", network.predict(batches, verbose=0))

    return embed
