"""The arithmetic of `deploy/cost.py` and `deploy/usage.py`, against hand-worked cases."""

from __future__ import annotations

from typing import Any

import pytest
from cost import bill, main, request_usd, server_usd
from usage import (
    Requests,
    Run,
    fetching,
    gib_of,
    requests_of,
    scanning,
    uploading,
    writing,
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
        "steady": {
            "per_hour": 0.1,
            "vcpus": 2,
            "baseline": 1.0,
            "per_extra_vcpu_hour": 0.0,
        },
        "bursting": {
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


def test_a_photo_is_fetched_once_and_listed_a_thousand_at_a_time() -> None:
    assert fetching(1000) == Requests(1, 1000)
    assert fetching(1001) == Requests(2, 1001)


def test_a_photo_is_uploaded_once() -> None:
    assert uploading(1000) == Requests(1000, 0)


@pytest.mark.parametrize(("parts", "counted"), [(1, (6, 6)), (4, (9, 6))])
def test_a_batch_is_written_with_the_requests_that_were_counted(
    parts: int, counted: tuple[int, int]
) -> None:
    assert writing(1, parts) == counted
    assert writing(10, parts) == (10 * counted[0], 10 * counted[1])


@pytest.mark.parametrize(
    ("batches", "parts", "counted"), [(1, 2, (5, 14)), (3, 2, (7, 30)), (3, 4, (7, 54))]
)
def test_a_table_is_read_with_the_requests_that_were_counted(
    batches: int, parts: int, counted: tuple[int, int]
) -> None:
    assert scanning(batches, parts) == counted


@pytest.mark.parametrize(
    ("photo_kb", "parts"), [(5, 4), (16, 4), (100, 24), (4000, 1000), (50_000, 4000)]
)
def test_a_part_has_few_photos_and_few_bytes(photo_kb: float, parts: int) -> None:
    assert make_run(photos_per_batch=4000, photo_kb=photo_kb).parts == parts


def test_the_last_batch_may_be_smaller() -> None:
    assert make_run(photos=2000).batches == 1
    assert make_run(photos=2001).batches == 2


def test_a_run_stays_within_200_requests_for_each_table_and_batch() -> None:
    run = make_run(photos=2000, photo_kb=5)
    others = [r for name, r in requests_of(run).items() if name.startswith("tables")]
    assert sum(sum(one) for one in others) <= 5 * 200


def test_small_photos_are_kept_as_they_are_and_large_ones_made_small() -> None:
    images = "data/03_primary/images"
    small, large = make_run(photo_kb=5), make_run(photo_kb=4000)
    assert gib_of(small)[images] == gib_of(small)["photos/"]
    assert gib_of(large)[images] == pytest.approx(3_600_000 * 30_000 / 2**30)


def test_storage_is_counted_in_gib() -> None:
    sizes = gib_of(make_run(photos=2**20, photo_kb=1.024))
    assert sizes["photos/"] == sizes["data/02_intermediate/photos"] == pytest.approx(1)


def test_requests_are_priced_by_the_thousand() -> None:
    # 2,000 writes at 0.005 and 10,000 reads at 0.0004 a thousand.
    assert request_usd(Requests(2000, 10_000), PRICES) == pytest.approx(0.010 + 0.004)


def test_a_server_is_billed_while_it_is_up() -> None:
    # 3.6 million photos at 100 a second are 10 hours; a third of one is idle.
    compute, extra, address = server_usd(make_run(), "steady", PRICES).values()
    assert compute == pytest.approx(0.1 * (10 + 1 / 3))
    assert address == pytest.approx(0.005 * (10 + 1 / 3))
    assert extra == 0


def test_a_bursting_server_is_billed_for_what_exceeds_its_baseline() -> None:
    # 10 hours of 2 processors, 90 % of each beyond the baseline, 0.05 an hour.
    _, extra, _ = server_usd(make_run(), "bursting", PRICES).values()
    assert extra == pytest.approx(10 * 2 * 0.9 * 0.05)


def test_the_disk_is_billed_by_the_month() -> None:
    month = bill(make_run(), "steady", PRICES)["A month, USD"]
    assert month["disk of the server (10 GiB)"] == pytest.approx(1.0)


def test_the_bill_names_the_date_of_its_prices(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["--photos", "1000", "--photo-kb", "5", "--instance", "t4g.small"])
    said = capsys.readouterr().out
    assert "1,000 photos of 5 KB in 1 batches" in said
    assert "check before you rely on them" in said
    assert said.count("together") == 3
