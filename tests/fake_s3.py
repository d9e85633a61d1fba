"""Clients of a cloud that runs on this machine."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import boto3

REGION = "eu-west-3"
STACK = "fruits"


class Cloud:
    """Clients of a moto server, by service: `cloud.iam`, `cloud.ec2`, ...

    Args:
        address: URL of the server.
    """

    def __init__(self, address: str) -> None:
        self.address = address

    def __getattr__(self, service: str) -> Any:
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client(
            service, endpoint_url=self.address, region_name=REGION, **keys
        )


@contextmanager
def moto_server(log: Path) -> Iterator[str]:
    """Run a moto server on a free port of the loopback, and yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as server,
    ):
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{address}/moto-api/data.json", log)
            yield address
        finally:
            server.terminate()


def _wait_for(url: str, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urlopen(url).close()
            return
        except URLError:
            time.sleep(0.2)
    raise TimeoutError(f"Found no answer from {url}: {log.read_text()}")


def enforce_iam(address: str, enforced: bool) -> None:
    """Let a moto server check every request against IAM, or none."""
    free_requests = b"0" if enforced else b"1000000000"
    request = Request(
        f"{address}/moto-api/reset-auth",
        data=free_requests,
        headers={"Content-Type": "text/plain"},
    )
    urlopen(request).close()
