from dataclasses import replace

import pytest
from click.testing import CliRunner
from cost import Operation, first_load, growth, main, standing, table
from options import EXECUTOR, EXECUTORS, SPOT_SHARE, Option, all_options
from speeds import one_core, two_cores
from usage import (
    Photos,
    later_requests,
    listing_requests,
    log_requests,
    run_requests,
    storage_gib,
    times,
    upload_requests,
)

from fruits_pipeline.costs.prices import Prices, load_prices
from fruits_pipeline.io.request_counts import Requests

PRICES = Prices(
    "eu-west-3",
    "2026-11-23",
    {
        "s3.write": 0.000005,
        "s3.read": 0.0000004,
        "s3.storage": 0.025,
        "disk.gp3": 0.1,
        "public_address": 0.005,
        "endpoint.hour": 0.01,
        "cloudwatch.alarm": 0.1,
        "cloudwatch.metric": 0.3,
        "sns.email": 0.00002,
        "emr_serverless.vcpu": 0.05,
        "emr_serverless.memory": 0.005,
        "credit.t3": 0.05,
        "ec2.t3.micro": 0.01,
        "ec2.fixed.large": 0.1,
    },
    {
        "t3.micro": {"vcpus": 2, "baseline": 0.1},
        "fixed.large": {"vcpus": 2, "baseline": 1},
    },
)
PHOTOS = Photos(number=3_600_000, kb=5, per_batch=4000)
MICRO = Option("small", "t3.micro", photos_per_second=100)
LARGE = Option("large", "fixed.large", photos_per_second=100)


def test_photos_are_listed_by_the_thousand_and_fetched_once() -> None:
    assert listing_requests(1000) == Requests(1, 0)
    assert listing_requests(1001) == Requests(2, 0)
    assert run_requests(PHOTOS)["photos fetched"] == Requests(0, PHOTOS.number)
    assert upload_requests(1000) == Requests(1000, 0)


@pytest.mark.parametrize(
    ("kb", "parts"), [(5, 4), (16, 4), (100, 24), (4000, 1000), (50_000, 4000)]
)
def test_parts_are_limited_by_photos_and_by_bytes(kb: float, parts: int) -> None:
    assert Photos(4000, kb, 4000).parts == parts


def test_last_batch_may_be_smaller() -> None:
    assert Photos(4000, 5, 4000).batches == 1
    assert Photos(4001, 5, 4000).batches == 2
    assert Photos(1, 5, 4000).parts == 1


def test_logs_need_requests_for_each_run_and_each_batch() -> None:
    one, two = log_requests(1, 1), log_requests(2, 1)
    assert two.minus(one) == log_requests(3, 1).minus(two)
    assert log_requests(2, 2) == times(2, one)


@pytest.mark.parametrize(
    ("photos", "writes", "reads"),
    [(40, 303 + 68, 447 + 116), (160, 504 + 156, 961 + 193)],
)
def test_requests_are_as_counted(photos: int, writes: int, reads: int) -> None:
    # Batches of 20 photos on a moto server.
    found = run_requests(Photos(photos, 1, 20)).values()
    assert sum(r.writes for r in found) == pytest.approx(writes, rel=0.05)
    assert sum(r.reads for r in found) == pytest.approx(reads, rel=0.05)


def test_each_run_of_a_month_lists_all_photos() -> None:
    stored, new = Photos(1_000_000, 5, 4000), Photos(100_000, 5, 4000)
    daily = later_requests(stored, new, 30)
    assert daily["photos listed"] == times(30, listing_requests(1_050_000))
    assert daily["photos fetched"].reads == pytest.approx(100_000, rel=0.001)
    none = later_requests(stored, new, 0)
    assert {*none.values()} == {Requests()}


def test_images_keep_small_photos_and_shrink_large_photos() -> None:
    images = "data/03_primary/images"
    small, large = storage_gib(PHOTOS), storage_gib(PHOTOS._replace(kb=4000))
    assert small[images] == small["photos/"]
    assert large[images] == pytest.approx(3_600_000 * 30_000 / 2**30)


def test_server_is_billed_while_it_is_up() -> None:
    # 3.6 million photos at 100 photos/s take 10 hours; 20 minutes are idle.
    found = LARGE.compute(PHOTOS.number, 1, PRICES)
    assert found["server"] == pytest.approx(0.1 * (10 + 1 / 3))
    assert found["public address"] == pytest.approx(0.005 * (10 + 1 / 3))
    assert found["CPU above the baseline"] == 0


def test_burstable_server_is_billed_for_cpu_above_its_baseline() -> None:
    # 10 hours of 2 vCPUs, 90 % of each above the baseline, 0.05 USD an hour.
    found = MICRO.compute(PHOTOS.number, 1, PRICES)
    assert found["CPU above the baseline"] == pytest.approx(10 * 2 * 0.9 * 0.05)


def test_spot_reduces_the_price_of_the_server_only() -> None:
    spot = replace(LARGE, is_spot=True).compute(PHOTOS.number, 1, PRICES)
    full = LARGE.compute(PHOTOS.number, 1, PRICES)
    assert spot["server"] == pytest.approx(SPOT_SHARE * full["server"])
    assert spot["public address"] == full["public address"]


def test_serverless_is_billed_by_vcpu_and_memory() -> None:
    option = Option("serverless", photos_per_second=100)
    found = option.compute(PHOTOS.number, 2, PRICES)
    hours = 10 + 2 * 0.05
    assert found["vCPU-hours"] == pytest.approx(hours * 10 * 0.05)
    assert found["GB-hours"] == pytest.approx(hours * 40 * 0.005)


def test_speeds_are_those_that_were_measured() -> None:
    micro, large, _, serverless = all_options()
    assert micro.speed == one_core().photos_per_second
    assert large.speed == two_cores().photos_per_second
    per_core = two_cores().photos_per_second / 2
    assert serverless.speed == pytest.approx(per_core * EXECUTOR[0] * EXECUTORS)
    assert 100 < micro.speed < large.speed < 10_000
    assert {option.speed for option in all_options(50)} == {50}


def test_month_without_runs_costs_storage_and_operation() -> None:
    operation = Operation(
        runs=0, alarms=3, metrics=2, emails=1100, endpoints=2, disk_gib=10
    )
    found = standing(Photos(2**20, 1.024, 4000), operation, LARGE, PRICES)
    assert found["photos stored"] == pytest.approx(0.025)
    assert found["disk"] == pytest.approx(1)
    assert found["alarms"] == pytest.approx(0.3)
    assert found["metrics"] == pytest.approx(0.6)
    assert found["e-mail"] == pytest.approx(100 * 0.00002)
    assert found["interface endpoints"] == pytest.approx(2 * 730 * 0.01)
    assert standing(PHOTOS, operation, Option("serverless"), PRICES)["disk"] == 0


def test_requests_and_machines_are_itemised() -> None:
    first = first_load(PHOTOS, MICRO, PRICES)
    month = growth(PHOTOS, PHOTOS._replace(number=36_000), 30, MICRO, PRICES)
    assert first["photos fetched"] == pytest.approx(3_600_000 * 0.0000004)
    assert {"logs of tables", "tables written", "server"} <= first.keys()
    assert {"stored tables read", "logs of tables", "server"} <= month.keys()
    assert all(usd >= 0 for usd in (*first.values(), *month.values()))


def test_million_photos_cost_less_than_one_dollar_on_a_server() -> None:
    photos = Photos(1_000_000, 5, 4000)
    for option in all_options()[:3]:
        assert sum(first_load(photos, option, load_prices()).values()) < 1


def test_table_has_a_column_for_each_option_and_totals() -> None:
    text = table("First load", {"a": {"x": 1, "y": 2.5}, "b": {"z": 1000}})
    title, x, _, z, total = text.splitlines()
    assert title.split() == ["First", "load", "a", "b"]
    assert x.split() == ["x", "1.000", "-"]
    assert z.split() == ["z", "-", "1,000.000"]
    assert total.split() == ["total", "3.500", "1,000.000"]


def test_output_states_prices_speeds_and_what_is_not_included() -> None:
    arguments = ["--photos", "1000000", "--photo-kb", "5", "--endpoints", "3"]
    output = CliRunner().invoke(main, arguments, catch_exceptions=False).output
    assert "check before you rely on them" in output
    assert f"as of {load_prices().noted}" in output
    assert "measured on one core" in output
    assert "No speed was measured on AWS" in output
    assert "the upload of all photos, 5.30" in output
    given = CliRunner().invoke(main, ["--photos-per-second", "70"]).output
    assert "70 photos/s, 3.97 h (given)" in given


@pytest.mark.parametrize("option", ["--photos", "--disk-gib", "--photo-kb"])
def test_options_must_be_positive(option: str) -> None:
    assert CliRunner().invoke(main, [option, "0"]).exit_code == 2
