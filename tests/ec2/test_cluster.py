from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from fake_server import MOTO_SPARK_OPTIONS, PARAMETERS, Server, read_rows
from spark_cluster import spark_cluster

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a Spark standalone master and two workers; return the master's URL."""
    with spark_cluster(tmp_path_factory.mktemp("cluster")) as (url, _):
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
