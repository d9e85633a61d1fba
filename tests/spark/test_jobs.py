from collections.abc import Callable
from threading import Event

import pytest
from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline.spark.jobs import write_concurrently


def test_failed_batch_does_not_discard_running_batches(spark: SparkSession) -> None:
    has_failed = Event()

    def write(name: str, load: Callable[[], DataFrame]) -> str:
        if name == "failing":
            has_failed.set()
            raise ValueError("the batch failed")
        assert has_failed.wait(10)
        return name

    names = ["failing", *map(str, range(100))]
    results = write_concurrently(
        write, {name: lambda: spark.range(2) for name in names}
    )
    written = []
    with pytest.raises(ValueError, match="the batch failed"):  # noqa: PT012
        for name in results:
            written.append(name)
    assert 1 <= len(written) < 100
