"""Runs on a Spark standalone cluster, as in docs/clusters.md.

Both ends of the supported versions of Spark are tested. The package is installed, and the
current folder is not that of the project.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
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

    @property
    def s3_options(self) -> list[str]:
        """Options of spark-submit by which Java finds the moto server."""
        # The AWS SDK of Hadoop 3.4.1 does not read AWS_ENDPOINT_URL.
        endpoint = f"spark.hadoop.fs.s3a.endpoint={self.server.url}"
        return [*MOTO_SPARK_OPTIONS.split(), "--conf", endpoint]

    def submit(self, folder: Path, *arguments: str) -> tuple[int, str]:
        """Call spark-submit in a folder; return the exit code, and all output.

        Args:
            folder: The current folder.
            *arguments: Options, file and arguments.
        """
        command = spark_home(PYTHONS[self.hadoop]) / "bin/spark-submit"
        options = ["--master", self.master, *RESOURCES, *self.s3_options]
        code, output = self._call(folder, [command, *options, *arguments])
        drivers = [log.read_text() for log in self.folder.glob("*/driver-*/std*")]
        return code, "\n".join([output, *drivers])

    def kedro(self, *arguments: str) -> tuple[int, str]:
        """Call Kedro in the checkout; return the exit code and the output."""
        options = [*RESOURCES[2:4], *self.s3_options, "pyspark-shell"]
        environ = {
            "SPARK_MASTER": self.master,
            "PYSPARK_SUBMIT_ARGS": " ".join(options),
        }
        command = [PYTHONS[self.hadoop], "-m", "kedro", *arguments]
        return self._call(PROJECT, command, **environ)

    def _call(
        self, folder: Path, command: Sequence[str | Path], **environ: str
    ) -> tuple[int, str]:
        variables = {
            "PYTHONPATH": str(self.package),
            "PYSPARK_PYTHON": str(PYTHONS[self.hadoop]),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        done = subprocess.run(
            command,
            cwd=folder,
            env={**self.server.environ, **variables, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, f"{done.stdout}\n{done.stderr}"


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


def test_kedro_run_on_the_cluster(
    cluster: Cluster, local_run: Path, tmp_path: Path
) -> None:
    root = f"kedro-{cluster.hadoop}"
    code, output = cluster.kedro(
        *("run", "--env", "cluster", "--pipelines", COMPUTING),
        *("--params", f"root=s3://{BUCKET}/{root},{PARAMETERS}"),
    )
    assert code == 0, output
    assert cluster.master in output
    expect_tables(cluster, root, local_run, tmp_path)
