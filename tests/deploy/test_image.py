"""Build the container image, and run a driver and an executor in it as on Kubernetes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from factories import PROJECT, jpeg, run_python, write_files
from fake_imds import metadata_service
from fake_s3 import Cloud, moto_server
from fake_server import BUCKET, MOTO_SPARK_OPTIONS, endpoint_environ, read_rows
from spark_cluster import MASTER, SparkDaemon

pytestmark = pytest.mark.cloud

BASE = "localhost/debian:bookworm"
IMAGE = "localhost/fruits-pipeline"
COMPUTING = "ingest,preprocess,featurize,reduce"
"""All pipelines of a default run but the report, which takes longest."""

HOST_FILES = ("/etc/ssl/certs", "/etc/pip.conf")
"""Certificates and the package index of this machine, if it has its own."""


class Builder:
    """Buildah with a storage of its own, which needs no daemon.

    Args:
        storage: Folder for images and containers.
    """

    def __init__(self, storage: Path) -> None:
        folders = ["--root", str(storage / "root"), "--runroot", str(storage / "run")]
        self.command = ["buildah", *folders]
        self.environ = os.environ | {"BUILDAH_ISOLATION": "chroot"}

    def __call__(self, *arguments: str | Path) -> str:
        """Run a command of Buildah, and return its output."""
        done = subprocess.run(
            [*self.command, *arguments],
            env=self.environ,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def start(
        self, container: str, log: Path, environ: Mapping[str, str], *command: str
    ) -> subprocess.Popen[bytes]:
        """Start a process in a container, with the user and variables of the image.

        Args:
            container: Name of the container.
            log: File for its output.
            environ: Further environment variables.
            *command: Program and arguments.
        """
        variables = [f"--env={name}={value}" for name, value in environ.items()]
        with log.open("wb") as output:
            return subprocess.Popen(
                [*self.command, "run", *variables, container, *command],
                env=self.environ,
                stdout=output,
                stderr=subprocess.STDOUT,
            )


@pytest.fixture(scope="module")
def builder(
    debian: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Builder]:
    """Return a builder that has a minimal Debian with Python as the base."""
    if os.getuid() != 0 or not shutil.which("buildah"):
        pytest.skip("building an image needs root and buildah")
    folder = tmp_path_factory.mktemp("buildah")
    builder = Builder(folder)
    base = builder("from", "scratch")
    copy = ["cp", "--archive", f"{debian}/.", builder("mount", base)]
    subprocess.run(copy, check=True)
    builder("commit", "--quiet", "--rm", base, BASE)
    yield builder
    builder("rm", "--all")
    builder("rmi", "--all", "--force")


@pytest.fixture(scope="module")
def container(builder: Builder) -> str:
    """Build the image as `make image` does; return the name of a container."""
    for wheel in (PROJECT / "dist").glob("*.whl"):
        wheel.unlink()
    wheel_options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir")
    run_python("-m", "pip", "wheel", *wheel_options, PROJECT / "dist", PROJECT)
    volumes = [f"--volume={f}:{f}:ro" for f in HOST_FILES if Path(f).exists()]
    options = ("--layers=false", "--network=host", "--pull-never", *volumes)
    builder("build", *options, f"--build-arg=BASE={BASE}", "--tag", IMAGE, ".")
    return builder("from", "--pull-never", IMAGE)


def test_image_has_a_user_without_privileges(builder: Builder, container: str) -> None:
    assert builder("run", container, "id", "-u") == "185"


def test_image_contains_no_files_of_the_build(builder: Builder, container: str) -> None:
    assert builder("run", container, "ls", "-A", "/tmp") == ""  # noqa: S108 - of the image


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a process listens on a port."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.2)
        else:
            return


MODULE_OPTIONS = """
from pyspark import SparkContext
SparkContext._ensure_initialized()
print(SparkContext._jvm.org.apache.spark.launcher.JavaModuleOptions.defaultModuleOptions())
"""
"""Print the options with which Spark starts the JVMs of executors."""


def executor_environ(port: int, java_options: str) -> dict[str, str]:
    """Return the variables that Spark sets for an executor on Kubernetes.

    Args:
        port: Port of the driver.
        java_options: Options of the JVM, separated by spaces.
    """
    numbered = {f"SPARK_JAVA_OPT_{n}": o for n, o in enumerate(java_options.split())}
    return numbered | {
        "SPARK_DRIVER_URL": f"spark://CoarseGrainedScheduler@127.0.0.1:{port}",
        "SPARK_EXECUTOR_ID": "1",
        "SPARK_EXECUTOR_CORES": "1",
        "SPARK_EXECUTOR_MEMORY": "500m",
        "SPARK_APPLICATION_ID": "spark-of-test",
        "SPARK_EXECUTOR_POD_IP": "127.0.0.1",
        "SPARK_EXECUTOR_POD_NAME": "fruits-exec-1",
        "SPARK_RESOURCE_PROFILE_ID": "0",
    }


def test_pipeline_runs_with_the_entry_points_of_kubernetes(
    builder: Builder, container: str, tmp_path: Path
) -> None:
    port = free_port()
    local = "--env=SPARK_LOCAL_IP=127.0.0.1"
    python = ("/opt/fruits/bin/python", "-c", MODULE_OPTIONS)
    java_options = builder("run", local, container, *python).splitlines()[-1]
    network = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
    master = SparkDaemon(
        tmp_path / "master", Path(sys.executable), os.environ, MASTER, *network
    )
    credentials = dict.fromkeys(
        ("AccessKeyId", "SecretAccessKey", "SessionToken"), "testing"
    )
    with (
        master,
        moto_server(tmp_path / "moto") as url,
        metadata_service(credentials) as metadata,
    ):
        cloud = Cloud(url)
        cloud.create_bucket(BUCKET, {f"photos/Kiwi/{n}.jpg": jpeg(n) for n in range(5)})
        # The host name of the container is in no file or name server.
        environ = endpoint_environ(url, metadata) | {"SPARK_LOCAL_IP": "127.0.0.1"}
        driver = builder.start(
            container,
            tmp_path / "driver",
            environ | {"SPARK_DRIVER_BIND_ADDRESS": "127.0.0.1"},
            *("/opt/fruits/entrypoint.sh", "driver"),
            *(
                "--master",
                master.wait_for(r"Starting Spark master at (spark://\S+)")[1],
            ),
            *("--conf", "spark.driver.host=127.0.0.1"),
            *("--conf", f"spark.driver.port={port}"),
            *("--driver-memory", "500m", *MOTO_SPARK_OPTIONS.split()),
            *("/opt/fruits/run.py", "--env", "cluster", "--pipelines", COMPUTING),
        )
        wait_for_port(port, driver)
        executor = builder.start(
            container,
            tmp_path / "executor",
            environ | executor_environ(port, java_options),
            *("/opt/fruits/entrypoint.sh", "executor"),
        )
        logs = [tmp_path / "driver", tmp_path / "executor"]
        assert driver.wait(600) == 0, "\n".join(log.read_text() for log in logs)
        assert executor.wait(60) == 0, logs[1].read_text()
        root = write_files(tmp_path / "root", cloud.read_objects(BUCKET, "data/"))
    assert len(read_rows(root / "data", "reduced")) == 5
