"""The cost of one run, for its summary."""

from __future__ import annotations

from typing import Any, NamedTuple

from fruits_pipeline.costs.machine import Machine
from fruits_pipeline.costs.prices import Prices
from fruits_pipeline.io.request_counts import Requests


class Usage(NamedTuple):
    """What a run has used.

    Attributes:
        seconds: Duration.
        counted: Requests to S3 that were counted.
        estimated: Further requests, which could not be counted.
        is_local: Whether all work was done on the machine of the driver.
    """

    seconds: float
    counted: Requests
    estimated: Requests
    is_local: bool


def run_cost(usage: Usage, machine: Machine | None, prices: Prices) -> dict[str, Any]:
    """Return what a run used, and what that cost: server and requests.

    Storage, disk, address, and the time before and after the run are not included.

    Args:
        usage: What the run has used.
        machine: The EC2 instance of the driver; None on other machines.
        prices: List prices.
    """
    used = {
        "seconds": round(usage.seconds, 1),
        "requests": usage.counted._asdict(),
        "requests_estimated": usage.estimated._asdict(),
        "instance": machine.instance if machine else None,
    }
    reason = _why_unknown(machine, prices, usage.is_local)
    if reason or machine is None:
        return {**used, "total_usd": None, "reason": reason}
    hours = usage.seconds / 3600
    usd = {
        "server": prices.server(machine.instance, hours),
        "cpu_above_baseline_at_most": prices.extra_cpu(machine.instance, hours),
        "requests": prices.requests(usage.counted.plus(usage.estimated)),
    }
    spot = "; Spot costs less" if machine.is_spot else ""
    return {
        **used,
        "usd": {name: round(value, 6) for name, value in usd.items()},
        "total_usd": round(sum(usd.values()), 6),
        "prices": f"{prices.region}, on demand, {prices.noted}{spot}",
    }


def _why_unknown(machine: Machine | None, prices: Prices, is_local: bool) -> str:
    """Return why the cost in USD is unknown; empty if it is known."""
    if machine is None:
        return "not an EC2 instance, or its metadata service does not respond"
    if not is_local:
        return "a cluster; see the bill of its service"
    if machine.region != prices.region:
        return f"prices of {prices.region}, but the server is in {machine.region}"
    if machine.instance not in prices.instances:
        return f"no price of {machine.instance}"
    return ""
