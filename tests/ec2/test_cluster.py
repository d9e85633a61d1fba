from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pyspark
import pytest
from fake_server import MOTO_SPARK_OPTIONS, PARAMETERS, Server, read_rows

from fruits_pipeline.spark.java import use_java

pytestmark = pytest.mark.cloud

SPARK_CLASS = Path(pyspark.__file__).parent / "bin/spark-class"
MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"


class SparkDaemon:
    """A master or worker process of a Spark cluster.

    Args:
        log: File for its output.
        *command: Main class and arguments.
    """

    def __init__(self, log: Path, *command: str) -> None:
        environ = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"}
        use_java(environ)
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [SPARK_CLASS, *command], env=environ, stdout=output, stderr=output
            )

    def __enter__(self) -> SparkDaemon:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until the log matches a pattern, and return the match."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            if match := re.search(pattern, self.log.read_text()):
                return match
            time.sleep(0.3)
        raise TimeoutError(f"Found no {pattern!r} in: {self.log.read_text()}")


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a Spark standalone master and two workers; return the master's URL."""
    folder = tmp_path_factory.mktemp("cluster")
    network = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
    resources = ("--cores", "1", "--memory", "1g")
    with ExitStack() as stack:
        log = folder / "master.log"
        daemon = stack.enter_context(SparkDaemon(log, MASTER, *network))
        url = daemon.wait_for(r"Starting Spark master at (spark://\S+)")[1]
        for n in range(2):
            log, work = folder / f"worker{n}.log", ("--work-dir", str(folder / str(n)))
            worker = SparkDaemon(log, WORKER, *network, *resources, *work, url)
            stack.enter_context(worker).wait_for("Successfully registered with master")
        yield url


def test_cluster_computes_the_tables_of_a_local_run(
    master: str, server: Server, local_run: Path, tmp_path: Path
) -> None:
    executor_environ = "".join(
        f"--conf spark.executorEnv.{name}={value} "
        for name, value in server.environ.items()
        if name.startswith("AWS_") or name == "PYTHONPATH"
    )
    arguments = ["run", "--env", "cluster", "--params", PARAMETERS]
    done = server.kedro(
        *arguments,
        SPARK_MASTER=master,
        SPARK_LOCAL_IP="127.0.0.1",
        PYSPARK_SUBMIT_ARGS=f"{MOTO_SPARK_OPTIONS} --conf spark.executor.memory=600m "
        f"{executor_environ} pyspark-shell",
        PYSPARK_PYTHON=sys.executable,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert master in done.stdout + done.stderr

    root = server.download(tmp_path)
    for table in ("photos", "images", "features", "reduced"):
        pd.testing.assert_frame_equal(
            read_rows(root, table), read_rows(local_run, table), check_exact=True
        )
