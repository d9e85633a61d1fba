import numpy as np
import pyarrow as pa
from factories import record_batch

from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.saving import drop_paths
from fruits_pipeline.spark.vectors import to_matrix

FEATURES = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)


def features(first: int, last: int) -> pa.RecordBatch:
    rows = [
        {"path": f"{i}.jpg", "label": "Apple", "features": FEATURES[i]}
        for i in range(first, last)
    ]
    return record_batch(rows, schemas.FEATURES)


def test_rows_with_the_paths_are_dropped() -> None:
    first, second = features(0, 3), features(3, 5)
    result = [*drop_paths(iter([first, second]), pa.array(["1.jpg", "3.jpg", "4.jpg"]))]
    kept = [part["path"].to_pylist() for part in result]
    assert kept == [["0.jpg", "2.jpg"], []]
    assert {part.schema for part in result} == {schemas.FEATURES}
    np.testing.assert_array_equal(to_matrix(result[0]["features"]), FEATURES[[0, 2]])


def test_all_rows_are_kept_without_paths() -> None:
    (result,) = drop_paths(iter([features(0, 3)]), pa.array([], pa.string()))
    assert result == features(0, 3)
