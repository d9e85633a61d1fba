from dataclasses import replace

import pytest

from fruits_pipeline.costs.machine import Machine
from fruits_pipeline.costs.prices import Prices, load_prices
from fruits_pipeline.costs.run_cost import Usage, run_cost
from fruits_pipeline.io.request_counts import Requests

PRICES = Prices(
    "eu-west-3",
    "2026-11-23",
    {
        "s3.write": 0.000005,
        "s3.read": 0.0000004,
        "ec2.fixed.large": 0.1,
        "ec2.t3.micro": 0.01,
        "credit.t3": 0.05,
    },
    {
        "fixed.large": {"vcpus": 2, "baseline": 1},
        "t3.micro": {"vcpus": 2, "baseline": 0.1},
    },
)
USAGE = Usage(1800, Requests(1000, 10_000), Requests(1000, 0), is_local=True)


def test_server_and_requests_are_priced() -> None:
    cost = run_cost(USAGE, Machine("fixed.large", "eu-west-3", False), PRICES)
    assert cost == {
        "seconds": 1800,
        "requests": {"writes": 1000, "reads": 10_000},
        "requests_estimated": {"writes": 1000, "reads": 0},
        "instance": "fixed.large",
        "usd": {
            "server": 0.05,
            "cpu_above_baseline_at_most": 0,
            "requests": 0.014,
        },
        "total_usd": 0.064,
        "prices": "eu-west-3, on demand, 2026-11-23",
    }


def test_burstable_server_pays_for_cpu_above_its_baseline() -> None:
    usd = run_cost(USAGE, Machine("t3.micro", "eu-west-3", True), PRICES)["usd"]
    # Half an hour of 2 vCPUs, 90 % of each above the baseline, 0.05 USD an hour.
    assert usd["cpu_above_baseline_at_most"] == pytest.approx(0.5 * 2 * 0.9 * 0.05)
    assert usd["server"] == pytest.approx(0.005)


@pytest.mark.parametrize(
    ("usage", "machine", "reason"),
    [
        (USAGE, None, "not an EC2 instance"),
        (
            USAGE._replace(is_local=False),
            Machine("t3.micro", "eu-west-3", False),
            "a cluster",
        ),
        (USAGE, Machine("t3.micro", "eu-north-1", False), "is in eu-north-1"),
        (USAGE, Machine("m9.huge", "eu-west-3", False), "no price of m9.huge"),
    ],
)
def test_unknown_cost_has_a_reason_and_what_was_used(
    usage: Usage, machine: Machine | None, reason: str
) -> None:
    cost = run_cost(usage, machine, PRICES)
    assert cost["total_usd"] is None
    assert reason in cost["reason"]
    assert cost["seconds"] == 1800
    assert cost["requests"] == {"writes": 1000, "reads": 10_000}


def test_spot_is_mentioned() -> None:
    cost = run_cost(USAGE, Machine("t3.micro", "eu-west-3", True), PRICES)
    assert "Spot costs less" in cost["prices"]


def test_all_instances_of_the_package_have_prices() -> None:
    prices = load_prices()
    for instance in prices.instances:
        assert prices.server(instance, 1) > 0
        assert prices.extra_cpu(instance, 1) >= 0
    assert prices.extra_cpu("c7g.large", 1) == 0
    assert prices.requests(Requests(1000, 0)) == pytest.approx(0.0053)
    cheaper = replace(prices, usd={**prices.usd, "s3.read": 0.0})
    assert cheaper.requests(Requests(0, 1)) == 0
