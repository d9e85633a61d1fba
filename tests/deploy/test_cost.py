from typing import Any

import pytest
from click.testing import CliRunner
from cost import bill, main, request_usd, server_usd
from usage import (
    Requests,
    Run,
    ingest_requests,
    run_requests,
    scan_requests,
    storage_gib,
    upload_requests,
    write_requests,
)

PRICES: dict[str, Any] = {
    "s3": {
        "per_thousand_writes": 0.005,
        "per_thousand_reads": 0.0004,
        "per_gib_month": 0.025,
    },
    "disk": {"per_gib_month": 0.1},
    "public_address_per_hour": 0.005,
    "instances": {
        "fixed": {"per_hour": 0.1, "vcpus": 2, "baseline": 1, "per_extra_vcpu_hour": 0},
        "burstable": {
            "per_hour": 0.01,
            "vcpus": 2,
            "baseline": 0.1,
            "per_extra_vcpu_hour": 0.05,
        },
    },
}


def make_run(**changes: Any) -> Run:
    run = Run(
        photos=3_600_000,
        photo_kb=100.0,
        photos_per_batch=2000,
        photos_per_second=100.0,
        disk_gib=10,
    )
    return run._replace(**changes)


def test_photos_are_listed_by_the_thousand_and_fetched_once() -> None:
    assert ingest_requests(1000) == Requests(1, 1000)
    assert ingest_requests(1001) == Requests(2, 1001)


def test_photos_are_uploaded_once() -> None:
    assert upload_requests(1000) == Requests(1000, 0)


@pytest.mark.parametrize(("parts", "counted"), [(1, (6, 6)), (4, (9, 6))])
def test_write_requests_are_as_counted(parts: int, counted: tuple[int, int]) -> None:
    assert write_requests(1, parts) == counted
    assert write_requests(10, parts) == (10 * counted[0], 10 * counted[1])


@pytest.mark.parametrize(
    ("batches", "parts", "counted"), [(1, 2, (5, 14)), (3, 2, (7, 30)), (3, 4, (7, 54))]
)
def test_scan_requests_are_as_counted(
    batches: int, parts: int, counted: tuple[int, int]
) -> None:
    assert scan_requests(batches, parts) == counted


@pytest.mark.parametrize(
    ("photo_kb", "parts"), [(5, 4), (16, 4), (100, 24), (4000, 1000), (50_000, 4000)]
)
def test_parts_are_limited_by_photos_and_by_bytes(photo_kb: float, parts: int) -> None:
    assert make_run(photos_per_batch=4000, photo_kb=photo_kb).parts == parts


def test_last_batch_may_be_smaller() -> None:
    assert make_run(photos=2000).batches == 1
    assert make_run(photos=2001).batches == 2


def test_run_needs_at_most_200_requests_per_table_and_batch() -> None:
    run = make_run(photos=2000, photo_kb=5)
    tables = [r for name, r in run_requests(run).items() if name.startswith("tables")]
    assert sum(sum(requests) for requests in tables) <= 5 * 200


def test_images_keep_small_photos_and_shrink_large_photos() -> None:
    images = "data/03_primary/images"
    small = storage_gib(make_run(photo_kb=5))
    large = storage_gib(make_run(photo_kb=4000))
    assert small[images] == small["photos/"]
    assert large[images] == pytest.approx(3_600_000 * 30_000 / 2**30)


def test_storage_is_measured_in_gib() -> None:
    sizes = storage_gib(make_run(photos=2**20, photo_kb=1.024))
    assert sizes["photos/"] == sizes["data/02_intermediate/photos"] == pytest.approx(1)


def test_requests_are_priced_by_the_thousand() -> None:
    # 2,000 writes at 0.005 and 10,000 reads at 0.0004 per thousand.
    assert request_usd(Requests(2000, 10_000), PRICES) == pytest.approx(0.010 + 0.004)


def test_server_is_billed_while_it_is_up() -> None:
    # 3.6 million photos at 100 photos/s take 10 hours; 20 minutes are idle.
    compute, extra, address = server_usd(make_run(), "fixed", PRICES).values()
    assert compute == pytest.approx(0.1 * (10 + 1 / 3))
    assert address == pytest.approx(0.005 * (10 + 1 / 3))
    assert extra == 0


def test_burstable_server_is_billed_for_cpu_above_its_baseline() -> None:
    # 10 hours of 2 vCPUs, 90 % of each above the baseline, 0.05 USD an hour.
    _, extra, _ = server_usd(make_run(), "burstable", PRICES).values()
    assert extra == pytest.approx(10 * 2 * 0.9 * 0.05)


def test_disk_is_billed_by_the_month() -> None:
    month = bill(make_run(), "fixed", PRICES)["Per month, USD"]
    assert month["disk of the server (10 GiB)"] == pytest.approx(1.0)


def test_bill_states_the_date_of_the_prices_and_three_totals() -> None:
    arguments = ["--photos", "1000", "--photo-kb", "5", "--instance", "t4g.small"]
    output = CliRunner().invoke(main, arguments, catch_exceptions=False).output
    assert "1,000 photos of 5 KB in 1 batches" in output
    assert "check before you rely on them" in output
    assert output.count("total") == 3


@pytest.mark.parametrize("option", ["--photos", "--disk-gib", "--photo-kb"])
def test_options_must_be_positive(option: str) -> None:
    assert CliRunner().invoke(main, [option, "0"]).exit_code == 2
