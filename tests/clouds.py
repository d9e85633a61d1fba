"""Clients of a cloud that runs on this machine."""

from __future__ import annotations

from typing import Any

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
