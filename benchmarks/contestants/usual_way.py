"""Photos to reduced vectors as Spark's and Databricks' guides write it, with Keras.

Spark's binaryFile source over a folder, an iterator pandas UDF that decodes with Pillow
and runs MobileNetV2 with broadcast weights, Spark ML's StandardScaler and PCA, Parquet.
`repartition(16)` and 1,024 records a batch are those of the guide on featurization:
each partition builds its network anew.

Features are persisted, so that the network runs once per photo. That flatters: without
it, scaler, PCA and writing would each run the network again. So does the warm-up, which
carries 16 photos through the whole chain before the clock starts.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from pyspark.ml import Pipeline
from pyspark.ml.feature import PCA, StandardScaler
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import element_at, pandas_udf, split

from benchmarks.contestants import common
from fruits_pipeline.spark.java import use_java
from fruits_pipeline.spark.resources import processors

PARTITIONS = 16
PHOTOS_PER_STEP = 32
RECORDS_PER_BATCH = 1024
COMPONENTS = 100


def main() -> None:
    """Carry 16 photos through the chain, then all of them on the clock."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    task = common.read_task(__doc__, needs_weights=True)
    begin = time.perf_counter()
    few = _lay_out(task.warm_up, task.work / "few")
    photos = _lay_out(task.photos, task.work / "photos")
    laying_out = time.perf_counter() - begin
    spark = _session()
    try:
        featurize = _featurizer(spark, task)
        _reduce(_features(spark, few, processors(), featurize), task.work / "warm_up")
        started = common.age() - laying_out
        begin = time.perf_counter()
        features = _features(spark, photos, PARTITIONS, featurize)
        detail = _reduce(features, task.work / "reduced")
        seconds = time.perf_counter() - begin
    finally:
        spark.stop()
    detail |= {"partitions": PARTITIONS, "alpha": task.alpha, "size": task.size}
    common.report(len(task.photos), seconds, started, detail)


def _lay_out(photos: list[Path], folder: Path) -> Path:
    """Link photos into folders of their labels; return where they all are."""
    common.emptied(folder)
    for number, photo in enumerate(photos):
        link = folder / photo.parent.name / f"{number:06}.jpg"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(photo)
    return folder


def _session() -> SparkSession:
    use_java()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = (
        SparkSession.builder.master(f"local[{processors()}]")
        .config("spark.driver.memory", "4g")
        .config("spark.driver.host", "localhost")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", RECORDS_PER_BATCH)
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def _featurizer(spark: SparkSession, task: common.Task) -> Any:
    """Return a pandas UDF from the bytes of photos to arrays of features."""
    alpha, size = task.alpha, task.size
    weights = spark.sparkContext.broadcast(
        _network(alpha, size, str(task.weights)).get_weights()
    )

    @pandas_udf("array<float>")  # type: ignore[call-overload]
    def featurize(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        from keras.applications.mobilenet_v2 import preprocess_input

        network = _network(alpha, size, None)
        network.set_weights(weights.value)
        for contents in batches:
            pixels = np.stack([_pixels(content, size) for content in contents])
            found = network.predict(
                preprocess_input(pixels), batch_size=PHOTOS_PER_STEP, verbose=0
            )
            yield pd.Series(list(found))

    return featurize


def _network(alpha: float, size: int, weights: str | None) -> Any:
    from keras.applications import MobileNetV2

    return MobileNetV2(
        input_shape=(size, size, 3),
        alpha=alpha,
        include_top=False,
        pooling="avg",
        weights=weights,
    )


def _pixels(content: bytes, size: int) -> np.ndarray:
    """Decode a photo and resize it; return `uint8 [size, size, 3]`."""
    photo = Image.open(io.BytesIO(content)).convert("RGB")
    return np.asarray(photo.resize((size, size)))


def _features(
    spark: SparkSession, folder: Path, partitions: int, featurize: Any
) -> DataFrame:
    """Return path, label and features of the photos in a folder, not yet computed."""
    images = (
        spark.read.format("binaryFile")
        .option("pathGlobFilter", "*.jpg")
        .option("recursiveFileLookup", "true")
        .load(str(folder))
    )
    return (
        images.repartition(partitions)
        .withColumn("label", element_at(split("path", "/"), -2))
        .select("path", "label", featurize("content").alias("features"))
    )


def _reduce(features: DataFrame, target: Path) -> dict[str, Any]:
    """Compute features, fit scaler and PCA, write; return the seconds of each step."""
    times = [time.perf_counter()]
    features.persist()
    photos = features.count()
    times.append(time.perf_counter())
    vectors = features.withColumn("vector", array_to_vector("features"))
    model = _reduction(min(photos - 1, COMPONENTS)).fit(vectors)
    times.append(time.perf_counter())
    reduced = model.transform(vectors).select("path", "label", "reduced")
    reduced.write.mode("overwrite").parquet(str(target))
    times.append(time.perf_counter())
    features.unpersist()
    steps = ("features_s", "scaler_pca_s", "write_s")
    seconds = [round(float(length), 3) for length in np.diff(times)]
    return dict(zip(steps, seconds, strict=True)) | {"written": photos}


def _reduction(components: int) -> Pipeline:
    scaler = StandardScaler(
        withMean=True, withStd=True, inputCol="vector", outputCol="scaled"
    )
    pca = PCA(k=components, inputCol="scaled", outputCol="reduced")
    return Pipeline(stages=[scaler, pca])


if __name__ == "__main__":
    main()
