"""A Spark standalone cluster of real processes on this machine."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pyspark

from fruits_pipeline.spark.java import use_java

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

    def kill(self) -> None:
        """Kill the process and all that it has started, such as executors."""
        process = psutil.Process(self.process.pid)
        for victim in [process, *process.children(recursive=True)]:
            victim.kill()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until the log matches a pattern, and return the match."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            if match := re.search(pattern, self.log.read_text()):
                return match
            time.sleep(0.3)
        raise TimeoutError(f"Found no {pattern!r} in: {self.log.read_text()}")


@contextmanager
def spark_cluster(folder: Path) -> Iterator[tuple[str, list[SparkDaemon]]]:
    """Run a master and two workers with one core each; yield master URL and workers."""
    network = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
    resources = ("--cores", "1", "--memory", "1g")
    with ExitStack() as stack:
        log = folder / "master.log"
        daemon = stack.enter_context(SparkDaemon(log, MASTER, *network))
        url = daemon.wait_for(r"Starting Spark master at (spark://\S+)")[1]
        workers = []
        for n in range(2):
            log, work = folder / f"worker{n}.log", ("--work-dir", str(folder / str(n)))
            worker = SparkDaemon(log, WORKER, *network, *resources, *work, url)
            stack.enter_context(worker).wait_for("Successfully registered with master")
            workers.append(worker)
        yield url, workers
