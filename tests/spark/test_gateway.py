import json
import os
import subprocess
import sys
from collections import deque
from pathlib import Path

import pytest
from py4j import protocol as proto
from py4j.clientserver import FinalizerWorker, JavaClient
from py4j.java_gateway import JavaObject
from py4j.protocol import Py4JNetworkError
from pyspark import SparkContext
from pyspark.sql import SparkSession

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.gateway import check_user, quote_options


@pytest.mark.parametrize(
    "options",
    [
        ["-Dx=a b", "-Dy=c"],
        ["-Dx=it's", '-Dy="quoted"', "-Dz=back\\slash\\", "-Dé=% %20"],
        [],
    ],
)
def test_spark_splits_quoted_options_into_the_same_options(
    spark: SparkSession, options: list[str]
) -> None:
    utils = spark._jvm.org.apache.spark.util.Utils
    split: JavaObject = utils.splitCommandString(quote_options(options))
    assert [split.apply(i) for i in range(split.size())] == options


def test_user_without_passwd_entry_cannot_load_jars(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    check_user({"spark.master": "local[1]"})
    with pytest.raises(FruitsError, match="user ID 54321 has no entry in /etc/passwd"):
        check_user({"spark.jars.packages": "org.apache.hadoop:hadoop-aws:3.5.0"})


def test_user_with_passwd_entry_can_load_jars() -> None:
    check_user({"spark.jars": "x.jar"})


def test_java_that_exits_is_reported(tmp_path: Path) -> None:
    program = (
        "from pyspark import SparkConf\n"
        "from fruits_pipeline.spark.gateway import start_jvm\n"
        "conf = SparkConf().setAll([('spark.driver.extraJavaOptions', '-Xss1k')])\n"
        "start_jvm(conf)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    last_line = json.dumps(done.stderr.strip().splitlines()[-1])
    assert "FruitsError: Found that Java exited while it started Spark" in last_line
    assert "thread stack size" in done.stderr + done.stdout


@pytest.mark.usefixtures("spark")
def test_lost_connection_of_the_thread_that_frees_objects_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = SparkContext._jvm._gateway_client  # type: ignore[union-attr]
    failing = JavaClient(client.java_parameters, client.python_parameters)
    failing.is_connected = True
    failing._create_new_connection = BrokenConnection

    class Worker(FinalizerWorker):
        def run(self) -> None:
            failing.garbage_collect_object("o1", enqueue=False)

    worker = Worker(deque())
    worker.start()
    worker.join()
    assert BrokenConnection.used
    assert "Exception while sending command" not in caplog.text
    failing.garbage_collect_object("o1", enqueue=False)
    assert "Exception while sending command" in caplog.text


class BrokenConnection:
    """A connection that the other side has closed."""

    used = False
    initiated_from_client = True
    socket = None

    def send_command(self, _: str) -> str:
        BrokenConnection.used = True
        raise Py4JNetworkError("Error", ConnectionResetError(), proto.ERROR_ON_RECEIVE)

    def close(self, *_: object) -> None:
        """Do nothing."""
