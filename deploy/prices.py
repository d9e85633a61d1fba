"""Replace the prices in `prices.yml` by those of the AWS Price List.

    make prices
    make prices ARGS="--region eu-north-1"

Reads the bulk files of the Price List, as CSV, line by line: that of EC2 has some hundred
MB. Needs internet access, and no AWS account.
Source of the format: AWS, "Reading the service price list files".
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import click
import yaml

FILE = Path(__file__).parents[1] / "src/fruits_pipeline/costs/prices.yml"
LIST_URL = "https://pricing.us-east-1.amazonaws.com"
METADATA_LINES = 5
"""Lines before the header of a file: version, disclaimer, publication date."""

TIMEOUT = 60
"""Seconds to wait for a connection, and for the next bytes."""


def offer_rows(url: str, offer: str, region: str) -> Iterator[Mapping[str, str]]:
    """Yield the prices of a service in a region.

    Args:
        url: URL of the Price List.
        offer: Code of the service, such as AmazonS3.
        region: Code of the region.

    Raises:
        OSError: The Price List is not reachable, or has no such file.
    """
    path = f"{url}/offers/v1.0/aws/{offer}/current/{region}/index.csv"
    with urlopen(path, timeout=TIMEOUT) as response:  # noqa: S310 - https, or a test
        lines = io.TextIOWrapper(response, "utf-8", newline="")
        for _ in range(METADATA_LINES):
            next(lines)
        yield from csv.DictReader(lines)


def find_prices(
    rows: Iterable[Mapping[str, str]], wanted: Mapping[str, Mapping[str, Any]]
) -> dict[str, Decimal]:
    """Return the on-demand prices of Linux for the first units of a month.

    Args:
        rows: All prices of a service.
        wanted: Entries of `prices.yml` of this service, by name.

    Raises:
        click.ClickException: The price list has no price of an entry, or several.
    """
    patterns = {
        name: re.compile(rf"(?:[A-Z]+\d*-)?{entry['usage']}")
        for name, entry in wanted.items()
    }
    found: dict[str, set[Decimal]] = defaultdict(set)
    for row in rows:
        for name, pattern in patterns.items():
            if _is_listed(row) and pattern.fullmatch(row["usageType"]):
                found[name].add(Decimal(row["PricePerUnit"]))
    for name, entry in wanted.items():
        if len(found[name]) != 1:
            raise click.ClickException(
                f"Found {len(found[name])} prices of {name} in the price list of "
                f"{entry['offer']}; expected one. Correct `usage` of this price in "
                f"{FILE.name}."
            )
    return {name: next(iter(values)) for name, values in found.items()}


def _is_listed(row: Mapping[str, str]) -> bool:
    """Return whether a row is an on-demand price of Linux that applies to the first units.

    The first units of some services are free of charge; their price is 0.
    """
    is_linux = (
        row.get("operation", "") in ("", "RunInstances")
        or not row["usageType"].partition("BoxUsage")[1]
    )
    is_charged = Decimal(row["PricePerUnit"] or 0) > 0
    is_first = row.get("StartingRange", "0") in ("0", "", "1000")
    return row["TermType"] == "OnDemand" and is_linux and is_charged and is_first


def replace_prices(text: str, found: Mapping[str, Decimal], region: str) -> str:
    """Return the text of `prices.yml` with other prices; comments are kept."""
    for name, usd in found.items():
        entry = rf"(^  {re.escape(name)}:[^{{]*\{{ usd: )[^,]+(,.*?basis: )\w+"
        text, count = re.subn(
            entry, rf"\g<1>{usd.normalize():f}\g<2>list", text, flags=re.M | re.S
        )
        if count != 1:
            raise click.ClickException(f"Found no line of {name} in {FILE.name}.")
    text = re.sub("^region: .*", f"region: {region}", text, flags=re.M)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    return re.sub("^noted: .*", f"noted: {today}", text, flags=re.M)


@click.command()
@click.option("--region", help="By default, that of the file.")
@click.option("--url", default=LIST_URL, show_default=True, help="URL of the list.")
def main(region: str | None, url: str) -> None:
    """Replace the prices in prices.yml by those of the AWS Price List."""
    text = FILE.read_text()
    content = yaml.safe_load(text)
    region = region or content["region"]
    by_offer: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, entry in content["prices"].items():
        by_offer[entry["offer"]][name] = entry
    found: dict[str, Decimal] = {}
    for offer, wanted in by_offer.items():
        try:
            found |= find_prices(offer_rows(url, offer, region), wanted)
        except OSError as exc:
            if isinstance(exc, HTTPError):
                exc.close()
            raise click.ClickException(
                f"Found no prices of {offer} in {region} at {url} ({exc}); expected the "
                "AWS Price List. Check the network and the region; no price was changed."
            ) from exc
    FILE.write_text(replace_prices(text, found, region))
    for name, usd in sorted(found.items()):
        old = content["prices"][name]["usd"]
        click.echo(f"{name}: {usd.normalize():f} (was {old})")


if __name__ == "__main__":
    main()
