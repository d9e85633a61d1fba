"""Broadcast models to workers."""

from __future__ import annotations

from threading import Lock
from typing import Any

from pyspark import Broadcast, SparkContext

from fruits_pipeline.spark.active import spark_session

_lock = Lock()  # batches are computed in several threads
_newest: list[tuple[object, SparkContext, Broadcast[Any]]] = []


def broadcast(value: Any) -> Broadcast[Any]:
    """Return a broadcast variable of a model; the same one for all batches of a node.

    Only the newest variable is cached, so that older models do not stay in memory.

    Args:
        value: The model. Another object is broadcast again, even if it is equal.
    """
    context = spark_session().sparkContext
    with _lock:
        if _newest and _newest[0][0] is value and _newest[0][1] is context:
            return _newest[0][2]
        variable = context.broadcast(value)
        _newest[:] = [(value, context, variable)]
        return variable
