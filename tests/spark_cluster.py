"""A Spark standalone cluster of real processes on this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from fruits_pipeline.spark.java import use_java

MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"


class SparkDaemon:
    """A master or worker process of a Spark cluster.

    Args:
        log: File for its output.
        python: Interpreter of an environment with PySpark.
        environ: Environment variables.
        *command: Main class and arguments.
    """

    def __init__(
        self, log: Path, python: Path, environ: Mapping[str, str], *command: str
    ) -> None:
        environ = {**environ, "SPARK_LOCAL_IP": "127.0.0.1"}
        use_java(environ)
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [spark_home(python) / "bin/spark-class", *command],
                env=environ,
                stdout=output,
                stderr=output,
            )

    def __enter__(self) -> SparkDaemon:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def kill(self) -> None:
        """Kill the process and all that it has started, such as executors."""
        process = psutil.Process(self.process.pid)
        for victim in [process, *process.children(recursive=True)]:
            victim.kill()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until the log matches a pattern, and return the match."""
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and self.process.poll() is None:
            if match := re.search(pattern, self.log.read_text()):
                return match
            time.sleep(0.3)
        raise TimeoutError(f"Found no {pattern!r} in: {self.log.read_text()}")


def spark_home(python: Path) -> Path:
    """Return the folder of the Spark that is installed with PySpark.

    Args:
        python: Interpreter of an environment with PySpark.
    """
    (folder,) = python.parents[1].glob("lib/python*/site-packages/pyspark")
    return folder


@contextmanager
def spark_cluster(
    folder: Path,
    python: Path = Path(sys.executable),
    environ: Mapping[str, str] = os.environ,
) -> Iterator[tuple[str, list[SparkDaemon]]]:
    """Run a master and two workers with one core each; yield master URL and workers.

    Args:
        folder: Folder for the logs, and the work of executors and drivers.
        python: Interpreter of an environment with PySpark.
        environ: Environment variables, which executors and drivers inherit.
    """
    network = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
    resources = ("--cores", "1", "--memory", "1g")
    with ExitStack() as stack:
        master = SparkDaemon(folder / "master.log", python, environ, MASTER, *network)
        daemon = stack.enter_context(master)
        url = daemon.wait_for(r"Starting Spark master at (spark://\S+)")[1]
        workers = []
        for n in range(2):
            command = (*network, *resources, "--work-dir", str(folder / str(n)), url)
            log = folder / f"worker{n}.log"
            worker = SparkDaemon(log, python, environ, WORKER, *command)
            stack.enter_context(worker).wait_for("Successfully registered with master")
            workers.append(worker)
        yield url, workers
