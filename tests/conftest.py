"""Fixtures of all tests: a Spark session, and runs of Kedro's command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from factories import PROJECT, jpeg, write_files
from kedro.framework.cli.cli import KedroCLI
from pyspark.sql import SparkSession

from fruits_pipeline.spark.session import start_spark

os.environ["DO_NOT_TRACK"] = "1"
# Python workers of Spark inherit this variable, but not `sys.path`.
os.environ["PYTHONPATH"] = os.pathsep.join([f"{PROJECT}/src", f"{PROJECT}/tests"])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail in CI, which meets the requirements of all tests, if a test was skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    settings = yaml.safe_load((PROJECT / "conf/base/spark.yml").read_text())
    session = start_spark(settings | {"spark.master": "local[2]"})
    yield session
    session.stop()


@pytest.fixture(scope="session")
def kedro_run(spark: SparkSession) -> Iterator[Callable[..., Result]]:
    """Return a function that calls `kedro run` in this process and Spark session.

    Positional arguments are passed on. Keyword arguments are parameters:
    `preprocess__short_side=32` sets `preprocess.short_side`.
    """
    cli = KedroCLI(PROJECT)

    def run(*arguments: str, **parameters: object) -> Result:
        pairs = (f"{n.replace('__', '.')}={v}" for n, v in parameters.items())
        command = ["run", *arguments, "--params", ",".join(pairs)]
        return CliRunner().invoke(cli, command, prog_name="kedro")

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(PROJECT)
        yield run


RUN_AND_INSPECT = """
import json, sys
from fruits_pipeline.__main__ import main
try:
    main(sys.argv[1:])
except SystemExit as exc:
    exit_code = exc.code
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
def tensorflow_modules(_=None):
    return [*{"tensorflow", "keras"} & {*sys.modules}]
worker = spark.sparkContext.parallelize([0], 1).map(tensorflow_modules)
print(json.dumps({
    "exit_code": exit_code,
    "tensorflow_modules": tensorflow_modules() + worker.first(),
    "master": spark.sparkContext.master,
    "heap": spark.conf.get("spark.driver.memory"),
    "java_mib": spark._jvm.java.lang.Runtime.getRuntime().maxMemory() >> 20,
    "partitions": spark.conf.get("spark.sql.shuffle.partitions"),
    "sockets": spark.conf.get("spark.python.unix.domain.socket.dir"),
}))
"""


@pytest.fixture(scope="session")
def new_process(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Run the pipeline in a new process, and return the properties of that process.

    The configuration sets the shuffle partitions; all other resources are automatic.
    """
    folder = tmp_path_factory.mktemp("new process")
    photos = {f"Kiwi/{seed}.jpg": jpeg(seed) for seed in range(3)}
    write_files(folder / "photos", photos)
    shutil.copytree(PROJECT / "conf", folder / "conf")
    settings = folder / "conf/local/spark.yml"
    settings.write_text("spark.sql.shuffle.partitions: 3\n")
    parameters = f"photos={folder}/photos,root={folder}/out"
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-c", RUN_AND_INSPECT),
            *("--conf-source", str(folder / "conf"), "--params", parameters),
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    properties: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return properties
