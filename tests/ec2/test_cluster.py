"""Runs on a Spark standalone cluster, as in docs/clusters.md.

Both ends of the supported versions of Spark are tested. The package is installed, and the
current folder is not that of the project.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jars as deploy_jars
import pandas as pd
import pytest
import yaml
from factories import PROJECT, run_python
from fake_server import BUCKET, MOTO_SPARK_OPTIONS, PARAMETERS, Server, read_rows
from spark_cluster import spark_cluster, spark_home

from fruits_pipeline.spark.jars import jars_for_s3

pytestmark = pytest.mark.cloud

PYTHONS = {
    "3.5.0": Path(sys.executable),
    "3.4.1": PROJECT / ".venv-spark40/bin/python",
}
"""Interpreters of environments with Spark 4.3 and 4.0, by version of Hadoop."""

NEWEST = "3.5.0"

COMPUTING = "ingest,preprocess,featurize,reduce"
"""All pipelines of a default run but the report, which takes longest."""

RESOURCES = (
    *("--driver-memory", "500m", "--executor-memory", "500m"),
    *("--conf", "spark.standalone.submit.waitAppCompletion=true"),
)


@dataclass(frozen=True)
class Cluster:
    """A Spark standalone cluster.

    Attributes:
        hadoop: Version of its Hadoop.
        master: URL of the master.
        folder: Folder with the logs of drivers.
        package: Folder in which the package is installed.
        server: The server with the bucket and the role.
    """

    hadoop: str
    master: str
    folder: Path
    package: Path
    server: Server

    @property
    def run(self) -> str:
        """Path of the entry point."""
        return str(self.package / "fruits_pipeline/shipped/run.py")

    def submit(self, folder: Path, *arguments: str) -> tuple[int, str]:
        """Call spark-submit in a folder; return the exit code, and all output.

        Args:
            folder: The current folder.
            *arguments: Options, file and arguments.
        """
        python = PYTHONS[self.hadoop]
        # The AWS SDK of Hadoop 3.4.1 does not read AWS_ENDPOINT_URL.
        endpoint = ("--conf", f"spark.hadoop.fs.s3a.endpoint={self.server.url}")
        moto = (*MOTO_SPARK_OPTIONS.split(), *endpoint)
        options = ["--master", self.master, *RESOURCES, *moto]
        environ = self.server.environ | {
            "PYTHONPATH": str(self.package),
            "PYSPARK_PYTHON": str(python),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        done = subprocess.run(
            [spark_home(python) / "bin/spark-submit", *options, *arguments],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        drivers = [log.read_text() for log in self.folder.glob("*/driver-*/std*")]
        return done.returncode, "\n".join([done.stdout, done.stderr, *drivers])


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the package without its dependencies into a folder."""
    folder = tmp_path_factory.mktemp("package")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--target", folder)
    run_python("-m", "pip", "install", *options, PROJECT)
    return folder


@pytest.fixture(scope="module", params=PYTHONS)
def cluster(
    request: pytest.FixtureRequest,
    server: Server,
    package: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    hadoop, folder = request.param, tmp_path_factory.mktemp("cluster")
    environ = server.environ | {"PYTHONPATH": str(package)}
    with spark_cluster(folder, PYTHONS[hadoop], environ) as (url, _):
        yield Cluster(hadoop, url, folder, package, server)


def expect_tables(cluster: Cluster, name: str, local_run: Path, tmp_path: Path) -> None:
    """Compare the tables below a prefix with those of a local run."""
    root = cluster.server.download(tmp_path / name, f"{name}/")
    for table in ("photos", "images", "features", "reduced"):
        pd.testing.assert_frame_equal(
            read_rows(root, table), read_rows(local_run, table), check_exact=True
        )


def test_client_mode_with_packages(
    cluster: Cluster, local_run: Path, tmp_path: Path
) -> None:
    settings = yaml.safe_load((PROJECT / "conf/cluster/spark.yml").read_text())
    excluded = settings["spark.jars.excludes"]
    root = f"client-{cluster.hadoop}"
    code, output = cluster.submit(
        tmp_path,
        *("--packages", jars_for_s3(cluster.hadoop), "--exclude-packages", excluded),
        *(cluster.run, "--env", "cluster"),
        *("--params", f"root=s3://{BUCKET}/{root},{PARAMETERS}"),
    )
    assert code == 0, output
    assert "Run summary" in output
    expect_tables(cluster, root, local_run, tmp_path)


def test_cluster_mode_with_jars(
    cluster: Cluster, local_run: Path, tmp_path: Path
) -> None:
    deploy_jars.download(deploy_jars.LOCKS[cluster.hadoop], tmp_path / "jars")
    jars = sorted(str(jar) for jar in (tmp_path / "jars").iterdir())
    root = f"cluster-{cluster.hadoop}"
    code, output = cluster.submit(
        tmp_path,
        *("--deploy-mode", "cluster", "--jars", ",".join(jars)),
        *("--conf", f"spark.pyspark.python={PYTHONS[cluster.hadoop]}"),
        *("--class", "org.apache.spark.deploy.PythonRunner", jars[0], cluster.run, ""),
        *("--env", "cluster", "--pipelines", COMPUTING),
        *("--params", f"root=s3://{BUCKET}/{root},{PARAMETERS}"),
    )
    assert code == 0, output
    expect_tables(cluster, root, local_run, tmp_path)


def test_missing_jars_are_reported(cluster: Cluster, tmp_path: Path) -> None:
    code, output = cluster.submit(tmp_path, cluster.run, "--env", "cluster")
    assert code == 2
    assert "Traceback" not in output
    message = " ".join(output.split())
    assert re.search(rf"no hadoop-aws, .* those of Hadoop {cluster.hadoop}", message)
    assert f"--packages {jars_for_s3(cluster.hadoop)}" in output.replace("\n", "")


@pytest.mark.parametrize("cluster", [NEWEST], indirect=True)
def test_kedro_run_on_the_cluster(
    cluster: Cluster, local_run: Path, tmp_path: Path
) -> None:
    root = "kedro"
    done = cluster.server.kedro(
        *("run", "--env", "cluster", "--pipelines", COMPUTING),
        *("--params", f"root=s3://{BUCKET}/{root},{PARAMETERS}"),
        SPARK_MASTER=cluster.master,
        SPARK_LOCAL_IP="127.0.0.1",
        PYSPARK_SUBMIT_ARGS=f"{MOTO_SPARK_OPTIONS} --conf spark.executor.memory=500m "
        "pyspark-shell",
        PYSPARK_PYTHON=sys.executable,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert cluster.master in done.stdout + done.stderr
    expect_tables(cluster, root, local_run, tmp_path)
