"""Run the commands and the Python code of README.md, in a copy of the checkout."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
import requests
from factories import PROJECT

pytestmark = pytest.mark.system

README = (PROJECT / "README.md").read_text()
BLOCKS = re.findall(
    r"^```(sh|python)\n(.*?)^```$",
    README,
    re.MULTILINE | re.DOTALL,
)
COMMANDS = [
    re.sub(r"\s+# .*", "", line)
    for language, block in BLOCKS
    if language == "sh"
    for line in block.splitlines()
]
SCRIPTS = [block for language, block in BLOCKS if language == "python"]

ELSEWHERE = {
    "make test": "run by .ci/run, like test-system and test-cloud",
    "make chaos": "run by .ci/run",
    "make lint": "run by .ci/run",
    "make app": "needs Node.js, like make app-serve; make test-app builds and serves it",
    "make bench": "takes many minutes; tests/test_benchmarks.py calls its functions",
    "FRUITS_BUCKET=my-fruits": "needs AWS; tests/ec2 runs it on simulated services",
}
"""Commands that are not run here, with the reason."""

SERVERS = {
    "make viz": "--no-browser --port={port}",
    "make notebook": "--no-browser --allow-root --port={port}",
}
"""Commands that serve pages until they are stopped, and the options of this test."""

GIT, MAKE, BASH = (str(shutil.which(name)) for name in ("git", "make", "bash"))

SECONDS = 300
"""Time for a command."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the files that git knows or would add, link `.venv`, and add photos."""
    listed = subprocess.run(
        [GIT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    copy = tmp_path_factory.mktemp("checkout")
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, copy / name)
    (copy / ".venv").symlink_to(PROJECT / ".venv")
    subprocess.run([MAKE, "sample"], cwd=copy, check=True)
    photos = sorted(copy.glob("data/01_raw/sample/T*/*/*.jpg"))
    shutil.copy(photos[0], copy / "photo.jpg")
    for folder in ("folder", "photos of mine/Kiwi"):
        (copy / folder).mkdir(parents=True)
        for number, photo in enumerate(photos[:40:4]):
            shutil.copy(photo, copy / folder / f"IMG {number}.jpg")
    return copy


def fill_placeholders(
    command: str, checkout: Path, request: pytest.FixtureRequest
) -> str:
    """Replace the placeholders of a command by files of the checkout."""
    first, second = sorted((checkout / "data/01_raw/sample/Training").glob("*/*.jpg"))[
        :2
    ]
    if "backbone.training.epochs=0" in command:  # Keras would download the weights
        (weights,) = request.getfixturevalue("shared").glob("keras/*1.0_224*.h5")
        command = command.replace("epochs=0", f"epochs=0,backbone.weights={weights}")
    replaced = {
        "photos=<folder or s3://bucket/prefix>": "'photos=photos of mine'",
        "<folder for the tables>": "tables",
        "'IMG 1.jpg'": f"'Training/{first.parent.name}/{first.name}'",
        "<photo_id>": sha256(second.read_bytes()).hexdigest(),
    }
    for placeholder, value in replaced.items():
        command = command.replace(placeholder, value)
    assert "<" not in command
    return command


def start(command: str, checkout: Path) -> subprocess.Popen[str]:
    # Kedro-Viz asks PyPI for its newest version, for up to 30 seconds.
    offline = {"HTTPS_PROXY": "http://127.0.0.1:9"}
    return subprocess.Popen(
        [BASH, "-c", command],
        cwd=checkout,
        env={**os.environ, **offline},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in SERVERS])
def test_command_succeeds(
    command: str, checkout: Path, request: pytest.FixtureRequest
) -> None:
    if any(command.startswith(prefix) for prefix in ELSEWHERE):
        return
    process = start(fill_placeholders(command, checkout, request), checkout)
    output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, output


@pytest.mark.parametrize("command", SERVERS)
def test_server_answers(command: str, checkout: Path) -> None:
    assert command in COMMANDS
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = 20_000 + found.getsockname()[1] % 20_000  # Kedro-Viz limits ports
    options = SERVERS[command].format(port=port)
    process = start(f'{command} ARGS="{options}"', checkout)
    watchdog = threading.Timer(SECONDS, end, [process])
    watchdog.start()
    try:
        assert process.stdout is not None
        assert any(f":{port}" in line for line in process.stdout)  # the address
        wait_for(f"http://127.0.0.1:{port}")
    finally:
        watchdog.cancel()
        end(process)
        process.communicate(timeout=SECONDS)


def end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)


def wait_for(url: str) -> None:
    """Wait for a server that has printed its address, and may not listen yet."""
    for _ in range(60):
        with suppress(requests.ConnectionError):
            assert requests.get(url, timeout=SECONDS).status_code == 200
            return
        time.sleep(0.5)
    pytest.fail(f"{url} does not answer")


def test_targets_in_the_text_exist() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z-]+)", README):
        assert f"\n{target}: " in makefile, target


@pytest.mark.parametrize("script", SCRIPTS)
def test_code_succeeds(script: str, checkout: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout / "src")},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
