"""What tests share: one Spark session, and Kedro's command line on top of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from factories import PROJECT, jpeg, write_files
from kedro.framework.cli.cli import KedroCLI
from pyspark.sql import SparkSession

from fruits_pipeline.spark.session import start_spark

os.environ["DO_NOT_TRACK"] = "1"
# Spark's workers are processes of their own: they look here, not in `sys.path`.
os.environ["PYTHONPATH"] = os.pathsep.join([f"{PROJECT}/src", f"{PROJECT}/tests"])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail in CI, where all is there that tests need, if a test was skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    settings = yaml.safe_load((PROJECT / "conf/base/spark.yml").read_text())
    session = start_spark(settings | {"spark.master": "local[2]"})
    yield session
    session.stop()


class KedroRun:
    """`kedro run` in this process, on the Spark session that is there."""

    def __init__(self) -> None:
        self.cli = KedroCLI(PROJECT)

    def __call__(self, *arguments: str, **parameters: object) -> Result:
        """Run; `preprocess__short_side=32` sets preprocess.short_side."""
        pairs = (f"{n.replace('__', '.')}={v}" for n, v in parameters.items())
        given = ["run", *arguments, "--params", ",".join(pairs)]
        return CliRunner().invoke(self.cli, given, prog_name="kedro")


@pytest.fixture(scope="session")
def kedro_run(spark: SparkSession) -> Iterator[KedroRun]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(PROJECT)
        yield KedroRun()


FRESH = """
import json, sys
from fruits_pipeline.__main__ import main
try:
    main(sys.argv[1:])
except SystemExit as exc:
    code = exc.code
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
heavy = {"tensorflow", "keras"}
workers = spark.sparkContext.parallelize([0], 1).map(lambda _: [*heavy & {*sys.modules}])
print(json.dumps({
    "code": code,
    "heavy": [*heavy & {*sys.modules}, *workers.first()],
    "master": spark.sparkContext.master,
    "heap": spark.conf.get("spark.driver.memory"),
    "java_mib": spark._jvm.java.lang.Runtime.getRuntime().maxMemory() >> 20,
    "partitions": spark.conf.get("spark.sql.shuffle.partitions"),
    "sockets": spark.conf.get("spark.python.unix.domain.socket.dir"),
}))
"""


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Run the chain in a process of its own, and look around there.

    Its environment sets the shuffle partitions, and leaves the rest to be sized.
    """
    folder = tmp_path_factory.mktemp("fresh")
    photos = {f"Kiwi/{seed}.jpg": jpeg(seed) for seed in range(3)}
    write_files(folder / "photos", photos)
    shutil.copytree(PROJECT / "conf", folder / "conf")
    settings = folder / "conf/local/spark.yml"
    settings.write_text("spark.sql.shuffle.partitions: 3\n")
    parameters = f"photos={folder}/photos,root={folder}/out"
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-c", FRESH),
            *("--conf-source", str(folder / "conf"), "--params", parameters),
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
