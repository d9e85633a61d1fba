from typing import Any

import pytest
from factories import frame, key_of
from frame_helpers import KEY
from pyspark.sql import DataFrame

from fruits_pipeline.spark import sampling
from fruits_pipeline.spark.sampling import fit_memory, sample_photos, sampling_rates

COUNTS: dict[str | None, int] = {
    "Kiwi": 4000,
    "Fig": 900,
    "Lime": 90,
    None: 8,
    "Rare": 2,
}


def rows_of(counts: dict[str | None, int]) -> list[dict[str, Any]]:
    return [
        key_of(f"Test/{label}/{i}.jpg") | {"label": label}
        for label, count in counts.items()
        for i in range(count)
    ]


def by_label(rows: DataFrame) -> dict[str | None, int]:
    return {
        row["label"]: row["count"] for row in rows.groupBy("label").count().collect()
    }


@pytest.fixture(scope="module")
def photos(spark: object) -> DataFrame:
    return frame(rows_of(COUNTS), KEY).cache()


def test_all_rows_are_returned_if_there_are_not_more(photos: DataFrame) -> None:
    assert sample_photos(photos, 5000, 5000) is photos


def test_rare_labels_stay_in_a_sample(photos: DataFrame) -> None:
    sample = sample_photos(photos, 5000, 500)
    found = by_label(sample)
    assert sample.columns == photos.columns
    assert (found[None], found["Rare"]) == (8, 2)
    assert 45 < found["Lime"] < 75  # 50 for each label, and a twentieth of its photos
    assert 200 < found["Kiwi"] < 300
    assert 380 < sum(found.values()) < 500


def test_sample_is_the_same_in_every_run(photos: DataFrame) -> None:
    paths = [
        {row.path for row in sample_photos(rows, 5000, 300).collect()}
        for rows in (photos, photos.repartition(7))
    ]
    assert paths[0] == paths[1]


def test_smaller_sample_is_part_of_a_larger_one(photos: DataFrame) -> None:
    small, large = (
        {row.path for row in sample_photos(photos, 5000, limit).collect()}
        for limit in (200, 900)
    )
    assert small < large


@pytest.mark.parametrize("limit", [1, 10, 500, 4999])
def test_rates_give_at_most_the_limit(limit: int) -> None:
    counts = {str(label): count for label, count in COUNTS.items()}
    rates = sampling_rates(counts, limit)
    assert sum(rates[label] * counts[label] for label in counts) <= limit + 1e-9
    assert all(0 < rate <= 1 for rate in rates.values())
    by_count = [rates[label] for label in sorted(counts, key=counts.__getitem__)]
    assert by_count == sorted(by_count, reverse=True)


def test_rates_of_no_photos() -> None:
    assert sampling_rates({}, 10) == {}


def test_machines_with_little_memory_read_fewer_photos(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "available_mib", lambda: 2048)
    assert fit_memory(200_000) == 200_000
    monkeypatch.setattr(sampling, "available_mib", lambda: 2047)
    assert fit_memory(200_000) == 50_000
