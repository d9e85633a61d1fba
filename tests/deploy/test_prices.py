import csv
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import prices as price_list
import pytest
import yaml
from click.testing import CliRunner, Result

METADATA = ["FormatVersion", "Disclaimer", "Publication Date", "Version", "OfferCode"]
COLUMNS = [
    *("TermType", "StartingRange", "PricePerUnit", "usageType", "operation"),
    *("Instance Type", "Operating System"),
]
CONTENT: Mapping[str, Any] = yaml.safe_load(price_list.FILE.read_text())


def usage_type(entry: Mapping[str, str], prefix: str = "EUW3-") -> str:
    return prefix + entry["usage"].replace("\\", "")


def offer_file(rows: list[dict[str, str]]) -> bytes:
    """Return a file as the Price List has it: metadata, header, prices."""
    text = io.StringIO()
    csv.writer(text).writerows([name, "x"] for name in METADATA)
    table = csv.DictWriter(text, COLUMNS, restval="")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()


def make_rows(offer: str, factor: float = 2.0) -> list[dict[str, str]]:
    """Return prices of a service, `factor` times those of prices.yml, and other rows."""
    rows = []
    for entry in CONTENT["prices"].values():
        if entry["offer"] != offer:
            continue
        kind = usage_type(entry)
        operation = "RunInstances" if "BoxUsage" in kind else "Any"
        row = {
            "TermType": "OnDemand",
            "StartingRange": "0",
            "PricePerUnit": f"{entry['usd'] * factor:.10f}",
            "usageType": kind,
            "operation": operation,
        }
        rows += [
            row,
            {**row, "StartingRange": "51200", "PricePerUnit": "0.0000000001"},
            {**row, "TermType": "Reserved", "PricePerUnit": "0.0000000002"},
            {**row, "usageType": f"{kind}-Other", "PricePerUnit": "0.0000000003"},
        ]
        if "BoxUsage" in kind:  # Windows
            rows.append({**row, "operation": "RunInstances:0002", "PricePerUnit": "9"})
    return rows


@contextmanager
def serve(files: Mapping[str, bytes]) -> Iterator[str]:
    """Serve files by path on localhost, and yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Log nothing."""

        def do_GET(self) -> None:
            content = files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def offers(region: str = "eu-west-3", factor: float = 2.0) -> dict[str, bytes]:
    names = {entry["offer"] for entry in CONTENT["prices"].values()}
    return {
        f"/offers/v1.0/aws/{name}/current/{region}/index.csv": offer_file(
            make_rows(name, factor)
        )
        for name in names
    }


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of prices.yml, which is changed instead of it."""
    copy = tmp_path / "prices.yml"
    copy.write_bytes(price_list.FILE.read_bytes())
    monkeypatch.setattr(price_list, "FILE", copy)
    return copy


@pytest.fixture
def refresh(file: Path) -> Callable[..., Result]:
    def run(files: Mapping[str, bytes], *arguments: str) -> Result:
        with serve(files) as url:
            options = ["--url", url, *arguments]
            return CliRunner().invoke(price_list.main, options)

    return run


def test_all_prices_are_replaced_and_comments_kept(
    file: Path, refresh: Callable[..., Result]
) -> None:
    result = refresh(offers())
    assert result.exit_code == 0, result.output
    content = yaml.safe_load(file.read_text())
    for name, entry in CONTENT["prices"].items():
        new = content["prices"][name]
        assert new["usd"] == pytest.approx(2 * entry["usd"]), name
        assert new["basis"] == "list"
        assert {**new, "usd": 0, "basis": 0} == {**entry, "usd": 0, "basis": 0}
    assert content["region"] == "eu-west-3"
    assert str(content["noted"]) > str(CONTENT["noted"])
    assert file.read_text().count("#") == price_list.FILE.read_text().count("#")


def test_prices_of_another_region(file: Path, refresh: Callable[..., Result]) -> None:
    result = refresh(offers("eu-north-1", 0.5), "--region", "eu-north-1")
    assert result.exit_code == 0, result.output
    content = yaml.safe_load(file.read_text())
    assert content["region"] == "eu-north-1"
    micro = CONTENT["prices"]["ec2.t3.micro"]["usd"]
    assert content["prices"]["ec2.t3.micro"]["usd"] == pytest.approx(micro / 2)


def test_unreachable_list_changes_nothing(
    file: Path, refresh: Callable[..., Result]
) -> None:
    before = file.read_bytes()
    result = refresh({})
    assert result.exit_code == 1
    assert "404" in result.output
    assert "no price was changed" in result.output
    assert file.read_bytes() == before


@pytest.mark.parametrize("prices", [["0.1", "0.2"], []])
def test_ambiguous_and_missing_prices_are_reported(
    file: Path, refresh: Callable[..., Result], prices: list[str]
) -> None:
    before = file.read_bytes()
    files = offers()
    rows = [
        row
        for row in make_rows("AmazonEC2")
        if not row["usageType"].endswith("BoxUsage:t3.micro")
    ]
    found = [
        {
            "TermType": "OnDemand",
            "StartingRange": "0",
            "PricePerUnit": price,
            "usageType": "EUW3-BoxUsage:t3.micro",
            "operation": "RunInstances",
        }
        for price in prices
    ]
    path = "/offers/v1.0/aws/AmazonEC2/current/eu-west-3/index.csv"
    files[path] = offer_file(rows + found)
    result = refresh(files)
    assert result.exit_code == 1
    assert f"Found {len(prices)} prices of ec2.t3.micro" in result.output
    assert file.read_bytes() == before
