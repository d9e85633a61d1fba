"""Where a run can be executed, how long that takes, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from speeds import Speed, one_core, two_cores

from fruits_pipeline.costs.prices import Prices

SERVER_IDLE_HOURS = 1 / 3
"""Time that a server is up before and after a run: start, and AutoStopMinutes."""

SERVERLESS_START_HOURS = 0.05
"""Time in which EMR Serverless starts workers, which is billed; assumed, not measured."""

SPOT_SHARE = 0.5
"""Price of a Spot Instance as a share of the list price. Assumed: it is not in the price
list, and changes every hour. The work that an interruption repeats is not included."""

DRIVER, EXECUTOR, EXECUTORS = (2, 8), (4, 16), 2
"""vCPUs and GB of the workers of EMR Serverless, and number of executors."""


@dataclass(frozen=True)
class Option:
    """A server of an instance type, or EMR Serverless.

    Attributes:
        name: Name in the table.
        instance: Instance type; empty for EMR Serverless.
        is_spot: Whether the server is a Spot Instance.
        photos_per_second: Speed, if it differs from the measured one.
    """

    name: str
    instance: str = ""
    is_spot: bool = False
    photos_per_second: float | None = None

    @property
    def measured(self) -> Speed:
        """The measurement that stands for this option."""
        return one_core() if self.instance.endswith(".micro") else two_cores()

    @property
    def speed(self) -> float:
        """Photos per second."""
        if self.photos_per_second:
            return self.photos_per_second
        per_core = self.measured.photos_per_second / 2
        if self.instance:
            return self.measured.photos_per_second
        return per_core * EXECUTOR[0] * EXECUTORS

    def busy_hours(self, photos: int) -> float:
        """Return the time in which photos are processed."""
        return photos / self.speed / 3600

    def compute(self, photos: int, runs: int, prices: Prices) -> Mapping[str, float]:
        """Return the price of the machines that process photos, in USD by item.

        Args:
            photos: Number of photos, in all runs.
            runs: Number of runs.
            prices: List prices.
        """
        busy = self.busy_hours(photos)
        if not self.instance:
            return _serverless(busy + runs * SERVERLESS_START_HOURS, prices)
        up = busy + runs * SERVER_IDLE_HOURS
        share = SPOT_SHARE if self.is_spot else 1
        return {
            "server": share * prices.server(self.instance, up),
            "CPU above the baseline": prices.extra_cpu(self.instance, busy),
            "public address": up * prices.usd["public_address"],
        }


def _serverless(hours: float, prices: Prices) -> Mapping[str, float]:
    vcpus, memory = (d + EXECUTORS * e for d, e in zip(DRIVER, EXECUTOR, strict=True))
    return {
        "vCPU-hours": hours * vcpus * prices.usd["emr_serverless.vcpu"],
        "GB-hours": hours * memory * prices.usd["emr_serverless.memory"],
    }


def all_options(photos_per_second: float | None = None) -> list[Option]:
    """Return the options that `make cost` compares.

    Args:
        photos_per_second: Speed of all options; None for the measured speeds.
    """
    return [
        Option("t3.micro", "t3.micro", photos_per_second=photos_per_second),
        Option("c7g.large", "c7g.large", photos_per_second=photos_per_second),
        Option("c7g Spot", "c7g.large", True, photos_per_second),
        Option("EMR Serverless", photos_per_second=photos_per_second),
    ]
