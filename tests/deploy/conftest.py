"""A stack of the template on a cloud that runs on this machine."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from clouds import STACK, Cloud
from policy import TEMPLATE


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a moto server on a free port of the loopback, and return its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("moto") / "log"
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


@pytest.fixture(scope="session")
def stack(cloud: str) -> Cloud:
    """Create the stack with its schedule, in the network that moto starts with."""
    clients = Cloud(cloud)
    subnet = clients.ec2.describe_subnets()["Subnets"][0]
    table = clients.ec2.describe_route_tables()["RouteTables"][0]
    parameters = {
        "VpcId": subnet["VpcId"],
        "SubnetId": subnet["SubnetId"],
        "RouteTableId": table["RouteTableId"],
        "BudgetEmail": "someone@example.org",
        "Schedule": "cron(0 3 * * ? *)",
    }
    clients.cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=TEMPLATE.read_text(),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in parameters.items()
        ],
    )
    return clients
