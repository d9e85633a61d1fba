"""Say what a run costs on AWS before anyone pays for it.

    make cost ARGS="--photos 1000000 --photo-kb 200 --instance t3.micro"

Prices are those of `prices.yml`; what is used is counted in `usage.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from usage import IDLE_HOURS, Requests, Run, gib_of, requests_of, uploading

HERE = Path(__file__).parent
INGEST = HERE.parent / "conf/base/parameters_ingest.yml"


def request_usd(requests: Requests, prices: Mapping[str, Any]) -> float:
    """Return the price of requests, in USD."""
    s3 = prices["s3"]
    writes = requests.writes * s3["per_thousand_writes"]
    return float(writes + requests.reads * s3["per_thousand_reads"]) / 1000


def server_usd(run: Run, instance: str, prices: Mapping[str, Any]) -> dict[str, float]:
    """Return the price of a run's server, in USD, by item.

    A t server that works flat out is billed for what it uses beyond its baseline.

    Args:
        run: The run.
        instance: Type of the server.
        prices: Of `prices.yml`.
    """
    price = prices["instances"][instance]
    working = run.photos / run.photos_per_second / 3600
    extra = price["vcpus"] * (1 - price["baseline"]) * price["per_extra_vcpu_hour"]
    up = working + IDLE_HOURS
    return {
        f"{instance}, {up:.1f} h": up * price["per_hour"],
        "processor beyond its baseline": working * extra,
        "public address": up * prices["public_address_per_hour"],
    }


def bill(
    run: Run, instance: str, prices: Mapping[str, Any]
) -> dict[str, dict[str, float]]:
    """Return what the upload, a first run and a month cost, in USD, by item.

    Args:
        run: The run.
        instance: Type of the server.
        prices: Of `prices.yml`.
    """
    requests = {
        _named(name, some): request_usd(some, prices)
        for name, some in requests_of(run).items()
    }
    upload = uploading(run.photos)
    storage = {
        f"{folder} ({gib:,.1f} GiB)": gib * prices["s3"]["per_gib_month"]
        for folder, gib in gib_of(run).items()
    }
    disk = run.disk_gib * prices["disk"]["per_gib_month"]
    return {
        "Once, USD": {_named("photos uploaded", upload): request_usd(upload, prices)},
        "A first run, USD": requests | server_usd(run, instance, prices),
        "A month, USD": storage | {f"disk of the server ({run.disk_gib} GiB)": disk},
    }


def _named(name: str, requests: Requests) -> str:
    return f"{name} ({requests.writes:,} writes, {requests.reads:,} reads)"


def report(parts: Mapping[str, Mapping[str, float]]) -> str:
    """Lay a bill out in lines, with a total for each of its parts."""
    lines = []
    for title, items in parts.items():
        lines += [title, *(f"  {usd:10,.2f}  {item}" for item, usd in items.items())]
        lines.append(f"  {sum(items.values()):10,.2f}  together")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the bill."""
    prices = yaml.safe_load((HERE / "prices.yml").read_text())
    ingest = yaml.safe_load(INGEST.read_text())["ingest"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=_positive, default=100_000)
    parser.add_argument("--photo-kb", type=float, default=200.0)
    parser.add_argument("--instance", choices=prices["instances"], default="t3.micro")
    parser.add_argument("--photos-per-second", type=float, default=100.0)
    parser.add_argument("--disk-gib", type=_positive, default=12)
    given = parser.parse_args(arguments)
    run = Run(
        given.photos,
        given.photo_kb,
        ingest["photos_per_batch"],
        given.photos_per_second,
        given.disk_gib,
    )
    print(
        f"{run.photos:,} photos of {run.photo_kb:g} KB in {run.batches:,} batches, "
        f"{run.photos_per_second:g} photos/s; prices of {prices['region']} as of "
        f"{prices['noted']}: check before you rely on them"
    )
    print(report(bill(run, given.instance, prices)))


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"found {value}, expected 1 or more")
    return value


if __name__ == "__main__":
    main()
