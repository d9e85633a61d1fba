"""Measure what a run uses: time, and requests to S3."""

from __future__ import annotations

import time
from typing import Any

from pyspark import SparkContext

from fruits_pipeline.costs.machine import find_machine
from fruits_pipeline.costs.prices import load_prices
from fruits_pipeline.costs.run_cost import Usage, run_cost
from fruits_pipeline.io.request_counts import ESTIMATED, SENT, Requests
from fruits_pipeline.spark.s3a import s3a_requests


class Meter:
    """Measures from its creation; other runs of the process are not included."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.counted, self.estimated = _count(), ESTIMATED.total

    def cost(self) -> dict[str, Any]:
        """Return what the run has used and cost until now."""
        context: Any = SparkContext._active_spark_context
        usage = Usage(
            time.monotonic() - self.start,
            _count().minus(self.counted),
            ESTIMATED.total.minus(self.estimated),
            is_local=context is None or context.master.startswith("local"),
        )
        return run_cost(usage, find_machine(), load_prices())


def _count() -> Requests:
    return SENT.total.plus(s3a_requests())
