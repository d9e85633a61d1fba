"""Fixtures of several test modules, and the environment of all tests."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from click.testing import CliRunner, Result
from factories import BACKBONE, PROJECT
from fake_s3 import REGION, Bucket, Cloud, moto_server
from kedro.framework.cli.cli import KedroCLI
from pyspark.sql import SparkSession

from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.spark.session import start_spark

os.environ["DO_NOT_TRACK"] = "1"
# Python workers of Spark inherit this variable, but not `sys.path`.
os.environ["PYTHONPATH"] = os.pathsep.join([f"{PROJECT}/src", f"{PROJECT}/tests"])

NO_REAL_PHOTOS = "FRUITS_SHARED is not set: this needs real photos and weights"


SLOW = ("training", "run")
"""Folders of the slowest tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with slow tests, so that all processes of pytest-xdist end together."""
    items.sort(key=lambda item: item.path.parent.name not in SLOW)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail in CI if a test was skipped for another reason than missing real photos."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    reasons = [str(report.longrepr) for report in skipped]
    if os.environ.get("CI") and any(NO_REAL_PHOTOS not in r for r in reasons):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real photos and pretrained weights."""
    if not os.environ.get("FRUITS_SHARED"):
        pytest.skip(NO_REAL_PHOTOS)
    return Path(os.environ["FRUITS_SHARED"])


@pytest.fixture(params=["local", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a new folder on the local disk, or in fsspec's memory file system."""
    if request.param == "memory":
        return f"memory://{uuid4().hex}"
    return f"{tmp_path}/a folder"


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a simulation of S3, and return its URL."""
    with moto_server(tmp_path_factory.mktemp("s3") / "log") as url:
        yield url


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Return a new bucket, which this process can access."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", REGION)
    return Bucket(Cloud(s3_server), f"bucket-{uuid4().hex}")


@pytest.fixture(scope="session")
def backbone() -> Backbone:
    """Return the backbone of the project."""
    return BackboneFolder(filepath=str(BACKBONE)).load()


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
