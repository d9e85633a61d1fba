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
from deltalake import DeltaTable
from factories import TABLES
from fake_server import OF_MOTO, PARAMETERS, Server

from fruits_pipeline.spark.java import use_java

pytestmark = pytest.mark.cloud

SPARK_HOME = Path(pyspark.__file__).parent
DEPLOY = "org.apache.spark.deploy"


class Daemon:
    """A process of a Spark cluster, and its log.

    Args:
        log: File that it writes to.
        command: Main class and arguments.
    """

    def __init__(self, log: Path, *command: str) -> None:
        environ = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"}
        use_java(environ)
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [SPARK_HOME / "bin/spark-class", *command],
                env=environ,
                stdout=output,
                stderr=output,
            )

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def said(self, pattern: str) -> re.Match[str]:
        """Wait until the log has a line, and return the match."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            if match := re.search(pattern, self.log.read_text()):
                return match
            time.sleep(0.3)
        raise TimeoutError(f"Found no {pattern!r} in: {self.log.read_text()}")


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Spark standalone master with two workers, each a process of its own."""
    folder = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:
        where = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        boss = stack.enter_context(
            Daemon(folder / "master.log", f"{DEPLOY}.master.Master", *where)
        )
        address = boss.said(r"Starting Spark master at (spark://\S+)")[1]
        for n in range(2):
            worker = Daemon(
                *(folder / f"worker{n}.log", f"{DEPLOY}.worker.Worker", *where),
                *("--cores", "1", "--memory", "1g", "--work-dir", str(folder / str(n))),
                address,
            )
            stack.enter_context(worker).said("Successfully registered with master")
        yield address


def test_a_cluster_makes_the_tables_that_a_local_run_makes(
    master: str, server: Server, local_run: Path, tmp_path: Path
) -> None:
    passed_on = [n for n in server.environ if n.startswith("AWS_")] + ["PYTHONPATH"]
    done = server.kedro(
        *("run", "--env", "cluster", "--params", PARAMETERS),
        SPARK_MASTER=master,
        SPARK_LOCAL_IP="127.0.0.1",
        PYSPARK_SUBMIT_ARGS=OF_MOTO
        + "--conf spark.executor.memory=600m "
        + " ".join(
            f"--conf spark.executorEnv.{name}={server.environ[name]}"
            for name in passed_on
        )
        + " pyspark-shell",
        PYSPARK_PYTHON=sys.executable,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert master in done.stdout + done.stderr

    root = server.download(tmp_path)
    for table in ("photos", "images", "features", "reduced"):
        found, expected = (
            DeltaTable(str(place / TABLES[table]))
            .to_pandas()
            .drop(columns=["modified_at", "etag"], errors="ignore")
            .sort_values("path", ignore_index=True)
            for place in (root, local_run)
        )
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
