"""The Spark session, sized to the machine; clear errors; the summary of a run."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import click
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from pyspark import SparkConf
from pyspark.sql import SparkSession

from fruits_pipeline import machine
from fruits_pipeline.buckets import buckets_of, check_bucket
from fruits_pipeline.class_archive import archive_options, cache_folder
from fruits_pipeline.complaints import in_words
from fruits_pipeline.datasets import BatchTable
from fruits_pipeline.files import write_whole
from fruits_pipeline.jars import check_jars, with_jars
from fruits_pipeline.java import use_java
from fruits_pipeline.parameters import check

logger = logging.getLogger(__name__)

SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""Set by spark-submit, for the Python program that it starts."""

JAVA_OPTIONS = "spark.driver.extraJavaOptions"
SOCKETS = "spark.python.unix.domain.socket.dir"


class SparkHooks:
    """Checks the parameters and starts Spark when Kedro has its context."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Start the session from the environment's `spark.yml`.

        Raises:
            click.ClickException: A parameter is wrong, or there is no Java.
        """
        try:
            prepare(context.config_loader)
        except Exception as exc:
            words = in_words(exc)
            if words is None:
                raise
            raise click.ClickException(words) from exc

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Say what a user can put right in words, without the way there.

        Raises:
            click.ClickException: The error is one of those.
        """
        words = in_words(error)
        if words:
            raise click.ClickException(words) from error


def prepare(config: Mapping[str, Any]) -> SparkSession:
    """Check what can be checked before Spark starts, and start it.

    Args:
        config: The environment's, by kind: `parameters`, `catalog`, `spark`.

    Raises:
        FruitsError: Parameters, buckets, jars or Java are not what they should be.
    """
    parameters = config["parameters"]
    check(parameters)
    os.environ.setdefault("AWS_EC2_METADATA_V1_DISABLED", "true")
    if region := os.environ.get("AWS_REGION"):  # which S3's client in Python ignores
        os.environ.setdefault("AWS_DEFAULT_REGION", region)
    places = [entry.get("filepath", "") for entry in config["catalog"].values()]
    buckets = buckets_of(places)
    for bucket in buckets:
        check_bucket(bucket, parameters["storage"]["regions"])
    settings = with_jars(config["spark"])
    if buckets_of([config["catalog"]["photos"]["filepath"]]):
        check_jars(settings)
    if str(settings.get("spark.eventLog.enabled")).lower() == "true":
        # Spark wants the folder to be there, and a bucket has one when a file is in it.
        write_whole(f"{settings['spark.eventLog.dir']}/.keep", b"")
    return start_spark(settings)


def start_spark(settings: Mapping[str, Any]) -> SparkSession:
    """Start a session, or return the one that runs.

    What `settings` leave open is sized to this machine: processors, and memory that
    is free. Workers use the interpreter that runs this.

    Args:
        settings: Spark's own, by name.

    Raises:
        FruitsError: There is no Java that can run Spark.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # Of workers, which have a processor each; NumPy here has started with all of them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if SUBMITTED in os.environ:  # by spark-submit: its Java runs, its master is set
        chosen = {k: v for k, v in settings.items() if k != "spark.master"}
    else:
        java, free = use_java(), machine.available_mib()
        sized = machine.session_settings(free, machine.processors())
        chosen = sized | dict(settings)
        archive = archive_options(java, free, cache_folder())
        chosen[JAVA_OPTIONS] = f"{chosen.get(JAVA_OPTIONS, '')} {archive}".strip()
        if chosen["spark.master"].startswith("local"):
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
            chosen[SOCKETS] = _folder_of_sockets()
    conf = SparkConf().setAll([*chosen.items()])
    spark = SparkSession.builder.config(conf=conf).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    logger.info(
        "Spark %s on %s with a heap of %s",
        *(spark.version, spark.sparkContext.master),
        spark.conf.get("spark.driver.memory", "the cluster's size"),
    )
    return spark


def _folder_of_sockets() -> str:
    """Return a new folder that goes when this process ends: Spark leaves its sockets.

    It is in `/tmp`, where Java would put them: Spark takes no path of over 60 characters.
    """
    folder = mkdtemp(prefix="fruits-sockets-", dir="/tmp")
    atexit.register(rmtree, folder, ignore_errors=True)
    return folder


class RunHooks:
    """Times the stages of a run, and completes its summary."""

    def __init__(self) -> None:
        self.begin = 0.0
        self.seconds: dict[str, float] = defaultdict(float)
        self.tables: dict[str, BatchTable] = {}

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Start the clock, and note the tables that this run writes."""
        SparkSession.builder.getOrCreate().catalog.clearCache()  # of an earlier run
        self.begin = time.monotonic()
        self.seconds.clear()
        outputs = {name: catalog.get(name) for name in pipeline.all_outputs()}
        self.tables = {n: d for n, d in outputs.items() if isinstance(d, BatchTable)}

    @hook_impl
    def after_dataset_saved(self, node: Node) -> None:
        """Count the time since the last save, what was loaded included, by stage."""
        now = time.monotonic()
        for stage in node.tags:
            self.seconds[stage] += now - self.begin
        self.begin = now

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Add to the summary what the run wrote and how long it took."""
        if "run_summary" not in pipeline.all_outputs():
            return
        seconds = {stage: round(s, 2) for stage, s in self.seconds.items()}
        new = self.tables["features"].photos_written if "features" in self.tables else 0
        written = {name: len(t.written) for name, t in self.tables.items()}
        summary = catalog.load("run_summary") | {
            "batches_written": written,
            "seconds": seconds,
            "photos_per_second": round(new / sum(seconds.values()), 1),
        }
        catalog.save("run_summary", summary)
        logger.info("Run summary: %s", summary)
