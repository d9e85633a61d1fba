"""Servers of the tests of deployment, which run at the same time."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from factories import PROJECT, run_python

ISOLATED_SERVER = Path(__file__).with_name("isolated_server.py")
RELEASE = "bookworm"  # systemd 252, as in Amazon Linux 2023, and Python 3.11
PACKAGES = "python3-venv,ca-certificates,systemd-sysv,dbus"
AWS = '#!/bin/sh\nPYTHONPATH=/opt/aws exec python3 -m awscli "$@"\n'
CACHE = Path(
    os.environ.get(
        "FRUITS_CLEAN_ROOT", Path(tempfile.gettempdir(), "fruits-clean-root")
    )
)

Records = Mapping[str, Mapping[str, Any]]


def missing_requirement() -> str:
    """Return what this machine lacks to run an isolated server, or an empty string."""
    if os.getuid() != 0:
        return "root"
    for tool in ("debootstrap", "unshare", "ip", "systemctl"):
        if not shutil.which(tool):
            return tool
    namespaces = ["unshare", "--net", "--mount", "--pid", "--cgroup", "--fork", "true"]
    if subprocess.run(namespaces, capture_output=True, check=False).returncode:
        return "permission to create namespaces"
    groups = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")
    if not any(os.access(folder, os.W_OK) for folder in groups):
        return "writable control groups"
    return ""


@pytest.fixture(scope="session")
def debian() -> Path:
    """Install a minimal Debian with systemd and the AWS CLI, unless it is in the cache."""
    if requirement := missing_requirement():
        pytest.skip(f"an isolated server needs {requirement}")
    content = f"{RELEASE} {PACKAGES} {AWS}"
    root = CACHE / sha256(content.encode()).hexdigest()[:16]
    if not root.exists():
        shutil.rmtree(CACHE, ignore_errors=True)
        new = CACHE / "new"
        options = ["--variant=minbase", f"--include={PACKAGES}"]
        _run("debootstrap", *options, RELEASE, str(new), debian_mirror())
        platform = ["--python-version=3.11", "--only-binary=:all:"]
        pip = [sys.executable, "-m", "pip", "install", "--quiet"]
        _run(*pip, *platform, "--target", str(new / "opt/aws"), "awscli")
        command = new / "usr/local/bin/aws"
        command.write_text(AWS)
        command.chmod(0o755)
        new.rename(root)
    return root


def debian_mirror() -> str:
    """Return the URL of the package repository that this machine uses."""
    options = ["--format", "$(REPO_URI)", "Created-By: Packages"]
    return _run("apt-get", "indextargets", *options).split()[0]


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def bundle() -> Path:
    run_python(PROJECT / "deploy/bundle.py")
    return PROJECT / "dist/fruits-pipeline.tar.gz"


class IsolatedServer:
    """A process that runs `isolated_server.py`, whose result is read when it has ended.

    Args:
        folder: New folder for its files.
        *arguments: Its other arguments.
    """

    def __init__(self, system: Path, folder: Path, *arguments: Path) -> None:
        self.folder = folder
        self.output = (folder / "output").open("wb")
        command = [sys.executable, ISOLATED_SERVER, system, folder, *arguments]
        self.process = subprocess.Popen(
            ["unshare", "--net", "--mount", *command],  # noqa: S607 - found on the PATH
            stdout=self.output,
            stderr=self.output,
        )

    def result(self) -> Records:
        """Wait for the end of the process, and return what the server did."""
        code = self.process.wait()
        self.output.close()
        assert code == 0, (self.folder / "output").read_text()
        found: Records = json.loads((self.folder / "result.json").read_text())
        return found

    def stop(self) -> None:
        """End the process if it runs."""
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="session")
def operation(
    debian: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[IsolatedServer]:
    """Start the server with small bundles, which mostly waits."""
    server = IsolatedServer(debian, tmp_path_factory.mktemp("operation"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def operation_result(operation: IsolatedServer) -> Records:
    """Return what the server with small bundles did."""
    return operation.result()


@pytest.fixture(scope="session")
def pipeline_result(
    operation: IsolatedServer,  # runs at the same time
    debian: Path,
    bundle: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, Any]]:
    """Return what the server did with the bundle of the project and sample photos."""
    sample = tmp_path_factory.mktemp("sample")
    arguments = ("run", "--pipelines", "sample", "--params", f"root={sample}")
    run_python("-m", "kedro", *arguments)
    folder = tmp_path_factory.mktemp("pipeline")
    server = IsolatedServer(debian, folder, bundle, sample / "01_raw/sample")
    yield server.result()
    server.stop()
