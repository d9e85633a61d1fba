import sys
from collections.abc import Mapping
from typing import Any

from pyspark.sql import SparkSession

from fruits_pipeline.spark.resources import MAX_HEAP_MIB, MIN_HEAP_MIB, cpu_count
from fruits_pipeline.spark.session import start_spark


def test_master_uses_all_cpus(new_process: Mapping[str, Any]) -> None:
    assert new_process["master"] == f"local[{cpu_count()},3]"


def test_jvm_has_the_automatic_heap_size(new_process: Mapping[str, Any]) -> None:
    heap = int(new_process["heap"].removesuffix("m"))
    assert MIN_HEAP_MIB <= heap <= MAX_HEAP_MIB
    assert 0.8 * heap <= new_process["java_mib"] <= heap


def test_setting_of_the_environment_is_kept(new_process: Mapping[str, Any]) -> None:
    assert new_process["partitions"] == "3"


def test_workers_use_the_interpreter_of_this_process(spark: SparkSession) -> None:
    workers = spark.sparkContext.parallelize([0], 1).map(lambda _: sys.executable)
    assert workers.collect() == [sys.executable]


def test_existing_session_is_returned(spark: SparkSession) -> None:
    again = start_spark({"spark.master": "local[1]", "spark.app.name": "another"})
    assert again.sparkContext is spark.sparkContext


def test_spark_logs_only_errors(spark: SparkSession) -> None:
    manager = spark._jvm.org.apache.logging.log4j.LogManager
    assert manager.getRootLogger().getLevel().toString() == "ERROR"
