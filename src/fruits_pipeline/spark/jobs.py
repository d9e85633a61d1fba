"""Run Spark jobs side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from pyspark.sql import DataFrame, SparkSession

from fruits_pipeline.spark.frames import task_count

Result = TypeVar("Result")


def side_by_side(
    write: Callable[[str, Callable[[], DataFrame]], Result],
    batches: Mapping[str, Callable[[], DataFrame]],
) -> Iterator[Result]:
    """Write batches, enough of them at a time that the end of one leaves no core idle.

    Args:
        write: Writes a batch, given its name and the function that returns its rows.
        batches: The batches by name.

    Yields:
        The result of each batch, as it is done.
    """
    if not batches:
        return
    spark = SparkSession.builder.getOrCreate()
    tasks = task_count(next(iter(batches.values()))())
    jobs = 1 + -(-spark.sparkContext.defaultParallelism // max(1, tasks))
    with ThreadPoolExecutor(jobs) as pool:
        writing = [pool.submit(write, name, load) for name, load in batches.items()]
        try:
            for done in as_completed(writing):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)
