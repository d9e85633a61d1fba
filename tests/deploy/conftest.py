"""A stack of the template on a cloud that runs on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fake_s3 import STACK, Cloud, moto_server
from template_policy import TEMPLATE


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a moto server on a free port of the loopback, and return its address."""
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as address:
        yield address


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
