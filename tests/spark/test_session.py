import sys
from collections.abc import Mapping
from typing import Any

from pyspark.sql import SparkSession

from fruits_pipeline.spark.resources import HEAP_MIB, processors
from fruits_pipeline.spark.session import start_spark


def test_the_session_is_sized_to_the_processors(fresh: Mapping[str, Any]) -> None:
    assert fresh["master"] == f"local[{processors()},3]"


def test_the_heap_is_sized_and_is_what_java_has(fresh: Mapping[str, Any]) -> None:
    least, most = HEAP_MIB
    heap = int(fresh["heap"].removesuffix("m"))
    assert least <= heap <= most
    assert 0.8 * heap <= fresh["java_mib"] <= heap


def test_what_an_environment_sets_is_not_sized(fresh: Mapping[str, Any]) -> None:
    assert fresh["partitions"] == "3"


def test_workers_use_the_interpreter_of_the_run(spark: SparkSession) -> None:
    workers = spark.sparkContext.parallelize([0], 1).map(lambda _: sys.executable)
    assert workers.collect() == [sys.executable]


def test_a_session_that_runs_is_used_again(spark: SparkSession) -> None:
    again = start_spark({"spark.master": "local[1]", "spark.app.name": "another"})
    assert again.sparkContext is spark.sparkContext


def test_spark_speaks_only_of_errors(spark: SparkSession) -> None:
    manager = spark._jvm.org.apache.logging.log4j.LogManager
    assert manager.getRootLogger().getLevel().toString() == "ERROR"
