"""The Spark session, sized to the machine, after what can be checked before it starts."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from collections.abc import Mapping
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from pyspark import SparkConf
from pyspark.sql import SparkSession

from fruits_pipeline.io.buckets import buckets_of, check_bucket
from fruits_pipeline.io.files import write_whole
from fruits_pipeline.parameters import check
from fruits_pipeline.spark import resources as machine
from fruits_pipeline.spark.class_archive import archive_options, cache_folder
from fruits_pipeline.spark.jars import check_jars, with_jars
from fruits_pipeline.spark.java import use_java

logger = logging.getLogger(__name__)

SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""Set by spark-submit, for the Python program that it starts."""

JAVA_OPTIONS = "spark.driver.extraJavaOptions"
SOCKETS = "spark.python.unix.domain.socket.dir"


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
    settings = with_jars(config["spark"])
    places = [entry.get("filepath", "") for entry in config["catalog"].values()]
    for bucket in buckets_of(places):
        region = check_bucket(bucket, parameters["storage"]["regions"])
        os.environ.setdefault("AWS_REGION", region)  # delta-rs does not ask for it
    if buckets_of([config["catalog"]["photos@batches"]["filepath"]]):
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
