"""The usual way on Spark: Keras in a pandas UDF, then Spark ML.

As in the guides of Spark and Databricks: the source `binaryFile`, an iterator pandas UDF
that decodes with Pillow and runs MobileNetV2 with broadcast weights, StandardScaler and
PCA, Parquet. 16 partitions and 1,024 records per batch are those of the guide on
featurization. Features are persisted, so that the network runs once per photo.
"""

import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from pyspark.ml import Pipeline
from pyspark.ml.feature import PCA, StandardScaler
from pyspark.ml.functions import array_to_vector
from pyspark.sql import SparkSession
from pyspark.sql.functions import element_at, pandas_udf, split

from benchmarks.programs import BATCH, build_mobilenet
from fruits_pipeline.spark.java import use_java
from fruits_pipeline.spark.resources import cpu_count

PARTITIONS = 16
COMPONENTS = 100
SETTINGS = {
    "spark.driver.memory": "4g",
    "spark.driver.host": "localhost",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1024",
    # A list of paths is listed by the driver, as a folder would be.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "1000000",
}


def prepare(
    photos: list[str], work: Path, weights: str, alpha: str, size: str
) -> Callable[[int], object]:
    """Return a function that embeds and reduces the first n photos."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    use_java()
    builder = SparkSession.builder.master(f"local[{cpu_count()}]")
    spark = builder.config(map=SETTINGS).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    network = build_mobilenet(alpha, size, weights)
    featurize = _featurizer(
        spark.sparkContext.broadcast(network.get_weights()), alpha, size
    )

    def embed(count: int) -> None:
        images = spark.read.format("binaryFile").load(photos[:count])
        features = images.repartition(min(PARTITIONS, max(1, count // 8))).select(
            "path",
            element_at(split("path", "/"), -2).alias("label"),
            featurize("content").alias("features"),
        )
        rows = features.persist()
        components = min(rows.count() - 1, COMPONENTS)
        vectors = rows.withColumn("vector", array_to_vector("features"))
        columns = {"inputCol": "vector", "outputCol": "scaled"}
        scaler = StandardScaler(withMean=True, withStd=True, **columns)
        pca = PCA(k=components, inputCol="scaled", outputCol="reduced")
        reduced = Pipeline(stages=[scaler, pca]).fit(vectors).transform(vectors)
        reduced = reduced.select("path", "label", "reduced")
        reduced.write.parquet(str(work / f"reduced-{count}"))
        rows.unpersist()

    return embed


def _featurizer(weights: Any, alpha: str, size: str) -> Any:
    """Return a pandas UDF from the bytes of photos to arrays of features."""

    @pandas_udf("array<float>")  # type: ignore[call-overload]
    def featurize(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        from keras.applications.mobilenet_v2 import preprocess_input

        network = build_mobilenet(alpha, size, None)
        network.set_weights(weights.value)
        shape = (int(size), int(size))
        for contents in batches:
            photos = (Image.open(io.BytesIO(content)) for content in contents)
            resized = (photo.convert("RGB").resize(shape) for photo in photos)
            pixels = np.stack([np.asarray(photo) for photo in resized])
            scaled = preprocess_input(pixels)
            yield pd.Series(list(network.predict(scaled, batch_size=BATCH, verbose=0)))

    return featurize
