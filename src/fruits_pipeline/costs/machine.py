"""The EC2 instance that this process runs on, according to its metadata service."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

ENDPOINT_VARIABLE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
DISABLED_VARIABLE = "AWS_EC2_METADATA_DISABLED"
"""Environment variables of the AWS SDKs."""

DEFAULT_ENDPOINT = "http://169.254.169.254"
VENDOR = Path("/sys/class/dmi/id/sys_vendor")
"""File with `Amazon EC2` on instances of the Nitro system, which are all current ones."""

TIMEOUT = 2
"""Seconds for each request; the service is on the same host."""


class Machine(NamedTuple):
    """An EC2 instance.

    Attributes:
        instance: Instance type, such as t3.micro.
        region: Code of the region.
        is_spot: Whether it is a Spot Instance.
    """

    instance: str
    region: str
    is_spot: bool


def find_machine() -> Machine | None:
    """Return the instance that this process runs on.

    Sends requests to the metadata service (IMDSv2), but only on an instance or if its
    endpoint is set.

    Returns:
        The instance; None on other machines, or if the service does not respond.
    """
    if os.environ.get(DISABLED_VARIABLE, "").lower() == "true":
        return None
    endpoint = os.environ.get(ENDPOINT_VARIABLE)
    if not endpoint and not _is_instance():
        return None
    try:
        return _read_machine((endpoint or DEFAULT_ENDPOINT).rstrip("/"))
    except OSError:
        return None


def _is_instance() -> bool:
    try:
        return "Amazon EC2" in VENDOR.read_text()
    except OSError:
        return False


def _read_machine(endpoint: str) -> Machine:
    """Return the instance.

    Source: AWS, "Access instance metadata for an EC2 instance", IMDSv2.
    """
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    url = f"{endpoint}/latest/api/token"
    token = _send(Request(url, headers=lifetime, method="PUT"))  # noqa: S310 - http only

    def read(name: str) -> str:
        headers = {"X-aws-ec2-metadata-token": token}
        url = f"{endpoint}/latest/meta-data/{name}"
        return _send(Request(url, headers=headers))  # noqa: S310 - http only

    instance, region = read("instance-type"), read("placement/region")
    return Machine(instance, region, read("instance-life-cycle") == "spot")


def _send(request: Request) -> str:
    without_proxy = build_opener(ProxyHandler({}))
    try:
        with without_proxy.open(request, timeout=TIMEOUT) as response:
            text: str = response.read().decode()
    except HTTPError as exc:
        exc.close()
        raise
    return text
