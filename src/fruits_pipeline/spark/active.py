"""The Spark session of this process, which starts when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from pyspark import SparkContext
from pyspark.sql import SparkSession

_lock = Lock()  # batches are computed in several threads
_start: list[Callable[[], SparkSession]] = []


def set_start(start: Callable[[], SparkSession]) -> None:
    """Set the function that starts the session; nothing is started yet."""
    _start[:] = [start]


def spark_session() -> SparkSession:
    """Return the session of this process; start it if there is none.

    Raises:
        FruitsError: There is no Java that Spark supports, or this machine has a limit or
            setting with which Spark does not run.
    """
    with _lock:
        if SparkContext._active_spark_context is None and _start:
            return _start[0]()
        return SparkSession.builder.getOrCreate()
