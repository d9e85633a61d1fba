"""List prices of AWS, from `prices.yml` beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from fruits_pipeline.io.request_counts import Requests


@dataclass(frozen=True)
class Prices:
    """Prices of one region.

    Attributes:
        region: Code of the region.
        noted: Date of the prices, as 2026-11-23.
        usd: Prices in USD by name.
        instances: vCPUs and baseline of each instance type.
    """

    region: str
    noted: str
    usd: Mapping[str, float]
    instances: Mapping[str, Mapping[str, float]]

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Prices:
        """Return the prices in the content of `prices.yml`."""
        usd = {name: float(price["usd"]) for name, price in content["prices"].items()}
        return cls(content["region"], str(content["noted"]), usd, content["instances"])

    def requests(self, requests: Requests) -> float:
        """Return the price of requests to S3 in USD."""
        writes = requests.writes * self.usd["s3.write"]
        return writes + requests.reads * self.usd["s3.read"]

    def server(self, instance: str, hours: float) -> float:
        """Return the price of an instance in USD, without CPU above its baseline."""
        return self.usd[f"ec2.{instance}"] * hours

    def extra_cpu(self, instance: str, busy_hours: float) -> float:
        """Return the price of CPU above the baseline in USD, if all vCPUs are busy.

        Burstable instances pay for it in the mode `unlimited`, the default of t3 and t4g.
        A new instance has no CPU credits, and earns those of its baseline.
        Source: AWS, "Unlimited mode for burstable performance instances".
        """
        kind = self.instances[instance]
        extra = kind["vcpus"] * (1 - kind["baseline"]) * busy_hours
        return (
            extra * self.usd[f"credit.{instance.partition('.')[0]}"] if extra else 0.0
        )


@cache
def load_prices() -> Prices:
    """Return the prices of this version of the package."""
    text = files(__package__).joinpath("prices.yml").read_text()
    return Prices.from_content(yaml.safe_load(text))
