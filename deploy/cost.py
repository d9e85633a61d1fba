"""Estimate the cost of a run on AWS.

    make cost ARGS="--photos 1000000 --photo-kb 200 --instance t3.micro"

Prices are in `prices.yml`; requests and storage are computed in `usage.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import yaml
from usage import IDLE_HOURS, Requests, Run, run_requests, storage_gib, upload_requests

FOLDER = Path(__file__).parent
PRICES = yaml.safe_load((FOLDER / "prices.yml").read_text())
INGEST = FOLDER.parent / "conf/base/parameters_ingest.yml"
POSITIVE = click.FloatRange(min=0, min_open=True)


def request_usd(requests: Requests, prices: Mapping[str, Any]) -> float:
    """Return the price of S3 requests in USD."""
    s3 = prices["s3"]
    writes = requests.writes * s3["per_thousand_writes"]
    return float(writes + requests.reads * s3["per_thousand_reads"]) / 1000


def server_usd(run: Run, instance: str, prices: Mapping[str, Any]) -> dict[str, float]:
    """Return the price of the server during a run, in USD by item.

    Burstable (t) instances are billed for CPU use above their baseline. The estimate
    assumes that all vCPUs are busy during the run.

    Args:
        run: The run.
        instance: Instance type, a key of `prices["instances"]`.
        prices: Contents of `prices.yml`.
    """
    price = prices["instances"][instance]
    busy_hours = run.photos / run.photos_per_second / 3600
    up_hours = busy_hours + IDLE_HOURS
    extra = price["vcpus"] * (1 - price["baseline"]) * price["per_extra_vcpu_hour"]
    return {
        f"{instance}, {up_hours:.1f} h": up_hours * price["per_hour"],
        "CPU above the baseline": busy_hours * extra,
        "public address": up_hours * prices["public_address_per_hour"],
    }


def bill(
    run: Run, instance: str, prices: Mapping[str, Any]
) -> dict[str, dict[str, float]]:
    """Return the prices of upload, first run and one month of storage, in USD by item.

    Args:
        run: The run.
        instance: Instance type, a key of `prices["instances"]`.
        prices: Contents of `prices.yml`.
    """
    upload = {"photos uploaded": upload_requests(run.photos)}
    storage = {
        f"{folder} ({gib:,.1f} GiB)": gib * prices["s3"]["per_gib_month"]
        for folder, gib in storage_gib(run).items()
    }
    disk = run.disk_gib * prices["disk"]["per_gib_month"]
    return {
        "Once, USD": _price_items(upload, prices),
        "First run, USD": _price_items(run_requests(run), prices)
        | server_usd(run, instance, prices),
        "Per month, USD": storage | {f"disk of the server ({run.disk_gib} GiB)": disk},
    }


def _price_items(
    items: Mapping[str, Requests], prices: Mapping[str, Any]
) -> dict[str, float]:
    return {
        f"{name} ({requests.writes:,} writes, {requests.reads:,} reads)": request_usd(
            requests, prices
        )
        for name, requests in items.items()
    }


def report(sections: Mapping[str, Mapping[str, float]]) -> str:
    """Format a bill as text, with a total for each section."""
    lines = []
    for title, items in sections.items():
        lines += [title, *(f"  {usd:10,.2f}  {item}" for item, usd in items.items())]
        lines.append(f"  {sum(items.values()):10,.2f}  total")
    return "\n".join(lines)


@click.command()
@click.option("--photos", type=click.IntRange(min=1), default=100_000)
@click.option("--photo-kb", type=POSITIVE, default=200.0)
@click.option("--instance", type=click.Choice(PRICES["instances"]), default="t3.micro")
@click.option("--photos-per-second", type=POSITIVE, default=100.0)
@click.option("--disk-gib", type=click.IntRange(min=1), default=12)
def main(
    photos: int, photo_kb: float, instance: str, photos_per_second: float, disk_gib: int
) -> None:
    """Estimate the cost of a run on AWS."""
    photos_per_batch = yaml.safe_load(INGEST.read_text())["ingest"]["photos_per_batch"]
    run = Run(photos, photo_kb, photos_per_batch, photos_per_second, disk_gib)
    click.echo(
        f"{run.photos:,} photos of {run.photo_kb:g} KB in {run.batches:,} batches, "
        f"{run.photos_per_second:g} photos/s; prices of {PRICES['region']} as of "
        f"{PRICES['noted']}: check before you rely on them"
    )
    click.echo(report(bill(run, instance, PRICES)))


if __name__ == "__main__":
    main()
