"""Requests to S3 of Hadoop's client in the JVM of the driver, with which Spark reads."""

from __future__ import annotations

from typing import Any

from pyspark import SparkContext

from fruits_pipeline.io.request_counts import Requests

STATISTICS = "S3AStorageStatistics"
"""Name of the statistics of Hadoop, which are of all buckets since the JVM started."""

WRITES = (
    *("object_list_request", "object_continue_list_request"),
    *("object_put_request", "object_multipart_initiated"),
)
READS = ("action_http_head_request", "action_http_get_request")


def s3a_requests() -> Requests:
    """Return the requests of the JVM of this process; none if it has not used S3."""
    jvm: Any = SparkContext._jvm
    if jvm is None:
        return Requests()
    found = jvm.org.apache.hadoop.fs.FileSystem.getGlobalStorageStatistics()
    statistics = found.get(STATISTICS)
    if statistics is None:
        return Requests()
    return Requests(*(sum(_read(statistics, n) for n in k) for k in (WRITES, READS)))


def _read(statistics: Any, name: str) -> int:
    return int(statistics.getLong(name) or 0)
