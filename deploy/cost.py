"""Compare what the first load and the monthly growth of a collection cost on AWS.

    make cost ARGS="--photos 1000000 --photo-kb 5"

Prices are in `src/fruits_pipeline/costs/prices.yml`; `make prices` refreshes them. Requests
and storage are computed in `usage.py`, and the time of machines in `options.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import yaml
from options import EXECUTOR, EXECUTORS, SPOT_SHARE, Option, all_options
from usage import Photos, later_requests, run_requests, storage_gib, upload_requests

from fruits_pipeline.costs.prices import Prices, load_prices
from fruits_pipeline.io.request_counts import Requests

INGEST = Path(__file__).parents[1] / "conf/base/parameters_ingest.yml"
POSITIVE = click.FloatRange(min=0, min_open=True)
MONTH_HOURS = 730
"""Hours of a month in the price list."""

WIDTH = 32
"""Characters of the names of items."""

FREE_EMAILS = 1000
"""E-mails of a month that SNS does not bill."""


class Operation(NamedTuple):
    """What is billed each month besides photos.

    Attributes:
        runs: Number of runs in a month.
        alarms: Number of CloudWatch alarms.
        metrics: Number of CloudWatch metrics that the run publishes.
        emails: Number of e-mails of SNS.
        endpoints: Number of interface endpoints, of one availability zone each.
        disk_gib: Size of the server's disk in GiB.
    """

    runs: int
    alarms: int
    metrics: int
    emails: int
    endpoints: int
    disk_gib: int


def first_load(photos: Photos, option: Option, prices: Prices) -> dict[str, float]:
    """Return the price of processing all photos once, in USD by item."""
    return _price(run_requests(photos), prices) | dict(
        option.compute(photos.number, 1, prices)
    )


def growth(
    stored: Photos, new: Photos, runs: int, option: Option, prices: Prices
) -> dict[str, float]:
    """Return the price of processing the photos of a month, in USD by item.

    Args:
        stored: Photos at the begin of the month.
        new: Photos that are added in the month.
        runs: Number of runs in the month.
        option: Where they are executed.
        prices: List prices.
    """
    return _price(later_requests(stored, new, runs), prices) | dict(
        option.compute(new.number, runs, prices)
    )


def standing(
    stored: Photos, operation: Operation, option: Option, prices: Prices
) -> dict[str, float]:
    """Return the price of a month without any run, in USD by item."""
    usd = prices.usd
    disk = operation.disk_gib * usd["disk.gp3"] if option.instance else 0.0
    hours = operation.endpoints * MONTH_HOURS
    emails = max(0, operation.emails - FREE_EMAILS)
    return {
        "photos stored": storage_gib(stored)["photos/"] * usd["s3.storage"],
        "tables stored": sum(_tables(stored).values()) * usd["s3.storage"],
        "disk": disk,
        "alarms": operation.alarms * usd["cloudwatch.alarm"],
        "metrics": operation.metrics * usd["cloudwatch.metric"],
        "e-mail": emails * usd["sns.email"],
        "interface endpoints": hours * usd["endpoint.hour"],
    }


def _tables(stored: Photos) -> Mapping[str, float]:
    return {k: v for k, v in storage_gib(stored).items() if k != "photos/"}


def _price(items: Mapping[str, Requests], prices: Prices) -> dict[str, float]:
    return {name: prices.requests(requests) for name, requests in items.items()}


def table(title: str, columns: Mapping[str, Mapping[str, float]]) -> str:
    """Format prices as text: a column for each option, a line for each item, a total."""
    names = dict.fromkeys(name for items in columns.values() for name in items)
    lines = [f"{title:{WIDTH + 2}}" + "".join(f"{name:>16}" for name in columns)]
    for name in names:
        values = [items.get(name) for items in columns.values()]
        texts = ["-" if value is None else f"{value:,.3f}" for value in values]
        lines.append(_line(name, texts))
    totals = [f"{sum(items.values()):,.3f}" for items in columns.values()]
    return "\n".join([*lines, _line("total", totals)])


def _line(name: str, texts: Sequence[str]) -> str:
    return f"  {name:{WIDTH}}" + "".join(f"{text:>16}" for text in texts)


def describe(photos: Photos, options: Sequence[Option], prices: Prices) -> str:
    """Return the assumptions of a comparison."""
    lines = [
        f"{photos.number:,} photos of {photos.kb:g} KB in {photos.batches:,} batches; USD "
        f"of {prices.region} as of {prices.noted}, without tax and free tier: check "
        "before you rely on them"
    ]
    for option in options:
        found, hours = option.measured, option.busy_hours(photos.number)
        verb = "measured on" if option.instance else "computed from"
        basis = f"{verb} {found.measured}, with photos of {found.photo_kb:.1f} KB"
        if option.photos_per_second:
            basis = "given"
        lines.append(
            f"  {option.name}: {option.speed:,.0f} photos/s, {hours:.2f} h ({basis})"
        )
    vcpus, memory = EXECUTOR
    return "\n".join(
        [
            *lines,
            "  No speed was measured on AWS: S3, Graviton, and EMR Serverless with "
            f"{EXECUTORS} executors of {vcpus} vCPUs and {memory} GB can differ. Pass",
            "  --photos-per-second from the run_summary.json of a first run.",
            f"  Spot is assumed to cost {SPOT_SHARE:.0%} of the list price. t3: all vCPUs "
            "busy, without CPU credits from before (mode unlimited).",
        ]
    )


@click.command()
@click.option("--photos", type=click.IntRange(min=1), default=1_000_000)
@click.option("--photo-kb", type=POSITIVE, default=5.0, help="Mean size, 1,000 bytes.")
@click.option("--new-per-month", type=click.IntRange(min=0), help="By default, 10 %.")
@click.option("--runs-per-month", type=click.IntRange(min=0), default=30)
@click.option("--photos-per-second", type=POSITIVE, help="By default, as measured.")
@click.option("--alarms", type=click.IntRange(min=0), default=3)
@click.option("--metrics", type=click.IntRange(min=0), default=7)
@click.option("--emails", type=click.IntRange(min=0), default=30)
@click.option("--endpoints", type=click.IntRange(min=0), default=0)
@click.option("--disk-gib", type=click.IntRange(min=1), default=12)
def main(
    photos: int,
    photo_kb: float,
    new_per_month: int | None,
    runs_per_month: int,
    photos_per_second: float | None,
    **operation: int,
) -> None:
    """Compare what a collection costs on a small server, a large one, and EMR Serverless."""
    batch = yaml.safe_load(INGEST.read_text())["ingest"]["photos_per_batch"]
    stored = Photos(photos, photo_kb, batch)
    new = stored._replace(
        number=photos // 10 if new_per_month is None else new_per_month
    )
    runs = Operation(runs_per_month, **operation)
    options, prices = all_options(photos_per_second), load_prices()
    click.echo(describe(stored, options, prices))
    first = {o.name: first_load(stored, o, prices) for o in options}
    click.echo(table("First load", first))
    shares = [sum(items.values()) / photos * 1e6 for items in first.values()]
    click.echo(_line("per million photos", [f"{usd:,.3f}" for usd in shares]))
    monthly = {o.name: growth(stored, new, runs_per_month, o, prices) for o in options}
    click.echo(
        table(f"A month: {new.number:,} photos in {runs_per_month} runs", monthly)
    )
    always = {o.name: standing(stored, runs, o, prices) for o in options}
    click.echo(table("A month, without any run", always))
    upload = prices.requests(upload_requests(photos))
    click.echo(
        f"Not included: the upload of all photos, {upload:,.2f} for a PUT of each; and "
        "transfer out of AWS."
    )


if __name__ == "__main__":
    main()
