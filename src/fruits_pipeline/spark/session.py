"""Check the configuration, and start the Spark session."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from fruits_pipeline import logs
from fruits_pipeline.environment import SUBMIT_VARIABLE
from fruits_pipeline.io.buckets import bucket_names, check_bucket
from fruits_pipeline.io.files import write_atomically
from fruits_pipeline.parameter_validation import validate_parameters
from fruits_pipeline.spark import resources
from fruits_pipeline.spark.class_archive import archive_options, cache_folder
from fruits_pipeline.spark.folders import (
    folder_options,
    local_folder_settings,
    set_home,
    socket_folder,
)
from fruits_pipeline.spark.gateway import check_user, quote_options, start_jvm
from fruits_pipeline.spark.host import (
    check_spark_home,
    raise_limits,
    replace_leftovers,
    use_utf8,
)
from fruits_pipeline.spark.jars import JAR_SETTINGS, check_jars, use_local_jars
from fruits_pipeline.spark.java import use_java

logger = logging.getLogger(__name__)

JVM_OPTIONS = "spark.driver.extraJavaOptions"
SOCKET_FOLDER = "spark.python.unix.domain.socket.dir"
REDACTION = {
    "spark.redaction.regex": r"(?i)secret|password|token|access[.]?key|://[^/\s]+@"
}
"""Names and values of settings that the event log hides: Spark's own, and URLs with users."""

SOCKETS_ENABLED = "spark.python.unix.domain.socket.enabled"


def check_configuration(config: Mapping[str, Any]) -> dict[str, Any]:
    """Check parameters, settings and buckets, without starting Spark.

    Args:
        config: Configuration of the environment: `parameters`, `globals`, `catalog` and
            `spark`.

    Returns:
        The settings for `start_spark`.

    Raises:
        FruitsError: A parameter or setting is invalid, or a bucket is not accessible.
    """
    parameters = config["parameters"]
    validate_parameters(parameters, config["globals"])
    os.environ.setdefault("AWS_EC2_METADATA_V1_DISABLED", "true")
    if region := os.environ.get("AWS_REGION"):  # botocore reads only the other variable
        os.environ["AWS_DEFAULT_REGION"] = region
    settings = use_local_jars(config["spark"])
    _use_buckets(_table_buckets(config), parameters["storage"]["regions"])
    return settings


def check_photo_bucket(config: Mapping[str, Any]) -> None:
    """Check the bucket of the photos, if it contains nothing else.

    Args:
        config: Configuration of the environment, with `parameters` and `catalog`.

    Raises:
        FruitsError: The bucket is not accessible.
    """
    tables = _table_buckets(config)
    photos = bucket_names([config["catalog"]["photo_store"]["filepath"]])
    if not {*photos} <= {*tables}:
        # The region of the tables is used for both, because S3 redirects requests.
        _use_buckets([*photos, *tables], config["parameters"]["storage"]["regions"])


def _table_buckets(config: Mapping[str, Any]) -> Sequence[str]:
    """Return the buckets of all datasets but the photos."""
    catalog = config["catalog"]
    filepaths = {entry.get("filepath", "") for entry in catalog.values()}
    return [*bucket_names(filepaths - {catalog["photo_store"]["filepath"]})]


def _use_buckets(buckets: Iterable[str], regions: Iterable[str]) -> None:
    """Check buckets, and set their region."""
    for bucket in buckets:
        region = check_bucket(bucket, regions)
        # For delta-rs and botocore; AWS_DEFAULT_REGION can be that of another project.
        os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = region


def uses_s3(config: Mapping[str, Any]) -> bool:
    """Return whether Spark reads tables in a bucket.

    Args:
        config: Configuration of the environment, with `catalog`.
    """
    return bool(bucket_names([config["catalog"]["photos@batches"]["filepath"]]))


def start_spark(settings: Mapping[str, Any], needs_s3: bool = False) -> SparkSession:
    """Start a Spark session, or return the existing one.

    Master, heap and shuffle partitions that are not set are chosen according to the
    available CPUs and memory. In local mode, the settings of this project replace those
    of other Spark installations, and workers use the Python interpreter of this process.

    Args:
        settings: Settings in `spark.yml`. If spark-submit has started Java, those of the
            master and of jars are ignored.
        needs_s3: Whether Spark needs the jars for S3.

    Raises:
        FruitsError: There is no Java that Spark supports, this machine has a limit or
            setting with which Spark does not run, or jars are missing.
    """
    # For workers: one thread each. This process has initialised OpenBLAS with all CPUs.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if SUBMIT_VARIABLE in os.environ:
        ignored = ("spark.master", *JAR_SETTINGS)
        chosen = {k: v for k, v in settings.items() if k not in ignored}
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    elif SparkContext._active_spark_context:
        chosen = dict(settings)
    else:
        chosen = _jvm_settings(settings)
    added = REDACTION | executor_environ()
    conf = SparkConf().setAll([*(added | chosen).items()])
    start_jvm(conf)
    if needs_s3:
        check_jars(SparkContext._jvm)
    if str(settings.get("spark.eventLog.enabled")).lower() == "true":
        # Spark fails without this folder. In a bucket, a folder exists if it has a file.
        write_atomically(f"{settings['spark.eventLog.dir']}/.keep", b"")
    spark = SparkSession.builder.config(conf=conf).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    logger.info(
        "Spark %s on %s with a heap of %s",
        spark.version,
        spark.sparkContext.master,
        spark.conf.get("spark.driver.memory", "the cluster's size"),
    )
    return spark


def executor_environ() -> dict[str, str]:
    """Return the settings by which Python workers get region and log format."""
    names = ("AWS_REGION", "AWS_DEFAULT_REGION")
    variables = {name: os.environ[name] for name in names if name in os.environ}
    variables[logs.VARIABLE] = logs.current()
    return {f"spark.executorEnv.{name}": value for name, value in variables.items()}


def _jvm_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Prepare this process, and add the settings of a JVM that Python starts."""
    available = resources.available_mib()
    automatic = resources.session_settings(available, resources.cpu_count())
    chosen = automatic | dict(settings)
    if chosen["spark.master"].startswith("local"):
        replace_leftovers()
        chosen |= local_folder_settings(chosen.get("spark.local.dir", ""))
        chosen |= _socket_settings()
    else:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        check_spark_home()
    check_user(chosen)
    set_home()
    raise_limits()
    use_utf8()
    java, options = use_java(), chosen.get(JVM_OPTIONS, "")
    archive = archive_options(java, options, available, cache_folder())
    added = quote_options([*folder_options(), *archive])
    chosen[JVM_OPTIONS] = f"{options} {added}".strip()
    return chosen


def _socket_settings() -> dict[str, str]:
    """Return the folder of Unix sockets; without a suitable folder, use TCP."""
    folder = socket_folder()
    return {SOCKET_FOLDER: folder} if folder else {SOCKETS_ENABLED: "false"}
