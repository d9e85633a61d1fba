"""Run several Spark jobs at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline.spark.batches import Batches
from fruits_pipeline.spark.frames import task_count

Result = TypeVar("Result")


def write_concurrently(
    write: Callable[[str, Callable[[], DataFrame]], Result], batches: Batches
) -> Iterator[Result]:
    """Write several batches at a time, so that no core is idle at the end of a batch.

    Args:
        write: Writes a batch, given its name and the function that returns its rows.
        batches: Batches to write.

    Yields:
        The result of each batch, in order of completion.
    """
    if not batches:
        return
    spark = SparkSession.builder.getOrCreate()
    first = next(iter(batches.values()))
    tasks = max(1, task_count(first()))
    jobs = 1 + -(-spark.sparkContext.defaultParallelism // tasks)  # rounded up
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(write, name, load) for name, load in batches.items()]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)
