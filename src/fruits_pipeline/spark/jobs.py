"""Run several Spark jobs at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TypeVar

from pyspark.sql import DataFrame

from fruits_pipeline.spark.active import spark_session
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
        The result of each batch, in order of completion. If a batch fails, no other batch
        is started, and those that are running are completed.

    Raises:
        Exception: The error of the first batch that failed.
    """
    if not batches:
        return
    spark = spark_session()
    first = next(iter(batches.values()))
    tasks = max(1, task_count(first()))
    jobs = 1 + -(-spark.sparkContext.defaultParallelism // tasks)  # rounded up
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(write, name, load) for name, load in batches.items()]
        try:
            yield from _completed(futures)
        finally:
            pool.shutdown(cancel_futures=True)


def _completed(futures: Sequence[Future[Result]]) -> Iterator[Result]:
    first_error: BaseException | None = None
    for future in as_completed(futures):
        if future.cancelled():
            continue
        if error := future.exception():
            first_error = first_error or error
            for other in futures:
                other.cancel()  # if it is not running
        else:
            yield future.result()
    if first_error:
        raise first_error
