import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from factories import frame, key_of, report_parameters
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.pipelines.report import exploration
from fruits_pipeline.pipelines.report.exploration import (
    Comparison,
    arrange_atlas,
    compare_photos,
    count_findings,
    decide_exploration,
    list_near_duplicates,
    list_neighbours,
    list_outliers,
    list_suspect_labels,
)
from fruits_pipeline.pipelines.report.sampling import sample_vectors

pytestmark = pytest.mark.usefixtures("spark")

RNG = np.random.default_rng(0)
TABLES = (
    list_neighbours,
    list_near_duplicates,
    list_suspect_labels,
    list_outliers,
    arrange_atlas,
)


def rows_of(n: int, width: int = 6, **columns: Any) -> list[dict[str, Any]]:
    return [
        key_of(f"{('Training', 'Test')[i % 2]}/Kiwi/{i}.jpg")
        | {"components": RNG.normal(size=width).tolist(), "batch": "000001", **columns}
        for i in range(n)
    ]


def reduced_of(rows: list[dict[str, Any]]) -> DataFrame:
    return frame(rows, schemas.REDUCED)


def compare(rows: list[dict[str, Any]], **parameters: Any) -> Comparison:
    settings = report_parameters(**parameters)
    counts = pd.DataFrame({"batch": ["000001"], "photos": [len(rows)]})
    return compare_photos(reduced_of(rows), counts, True, settings, ["training"])


@pytest.mark.parametrize(
    ("setting", "mib", "expected"),
    [
        ("auto", 2048, True),
        ("auto", 2047, False),
        (True, 100, True),
        (False, 9000, False),
    ],
)
def test_photos_are_compared_if_memory_and_setting_allow(
    setting: Any, mib: int, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exploration, "available_mib", lambda: mib)
    assert decide_exploration(report_parameters(explore=setting)) is expected


def test_sample_is_bounded_and_the_same_in_every_run() -> None:
    rows = rows_of(400)
    photos, vectors = sample_vectors(reduced_of(rows), 400, 100)
    assert 60 < len(photos) == len(vectors) <= 100
    assert photos["photo_id"].is_monotonic_increasing
    again, _ = sample_vectors(reduced_of(rows[::-1]), 400, 100)
    assert [*again["path"]] == [*photos["path"]]
    assert len(sample_vectors(reduced_of(rows), 400, 400)[0]) == 400
    assert len(sample_vectors(reduced_of(rows), 400, 0)[0]) == 0


def test_vectors_belong_to_their_photos() -> None:
    rows = rows_of(100)
    photos, vectors = sample_vectors(reduced_of(rows), len(rows), 40)
    assert len(photos)
    expected = {row["path"]: np.array(row["components"]) for row in rows}
    for path, vector in zip(photos["path"], vectors, strict=True):
        unit = expected[path] / np.linalg.norm(expected[path])
        np.testing.assert_allclose(vector, unit, rtol=1e-5)


def test_number_of_photos_of_a_sample_is_reported() -> None:
    counts = count_findings(compare(rows_of(300), explored_photos=100))
    assert counts["photos"] == 300
    assert 60 < counts["compared"] <= 100


def test_reports_agree_with_their_counts() -> None:
    rows = rows_of(30)
    rows[1]["components"] = rows[0]["components"]
    comparison = compare(rows)
    counts = count_findings(comparison)
    assert json.loads(json.dumps(counts)) == counts
    (pair,) = list_near_duplicates(comparison).to_dict("records")
    assert {pair["path"], pair["other_path"]} == {rows[0]["path"], rows[1]["path"]}
    assert pair["across_splits"]
    assert counts["duplicate_pairs"] == counts["duplicate_pairs_across_splits"] == 1
    leak = {"split": "Test", "photos": 15, "with_near_duplicate": 1}
    assert counts["leakage"] == [leak]
    assert counts["compared"] == len(list_neighbours(comparison)) == 30
    grid = arrange_atlas(comparison)
    assert grid["row"].nunique() * grid["column"].nunique() == len(grid)


ODD = {
    "one photo": rows_of(1),
    "two photos": rows_of(2),
    "three photos": rows_of(3),
    "no labels": rows_of(9, label=None, split=None),
    "one component": rows_of(9, width=1),
    "equal photos": rows_of(9, components=[1.0] * 6),
    "zero vectors": rows_of(9, components=[0.0] * 6),
    "odd labels": [r | {"label": f"=é\n,'{i}"} for i, r in enumerate(rows_of(100))],
}


@pytest.mark.parametrize("rows", ODD.values(), ids=ODD)
def test_odd_photos_are_compared(rows: list[dict[str, Any]]) -> None:
    comparison = compare(rows, rows_listed=5)
    assert len(list_neighbours(comparison)) == len(rows)
    assert len(list_near_duplicates(comparison)) <= 10
    assert 0 < len(arrange_atlas(comparison)) <= len(rows)
    assert not len(list_suspect_labels(comparison))
    assert count_findings(comparison)["compared"] == len(rows)


@pytest.mark.parametrize("explores", [False, True])
def test_reports_without_photos_have_their_columns(explores: bool) -> None:
    rows = [] if explores else rows_of(5)
    reduced = frame(rows, schemas.REDUCED, batch="000001")
    counts = pd.DataFrame({"batch": ["000001"], "photos": [len(rows)]})
    comparison = compare_photos(reduced, counts, explores, report_parameters(), [])
    expected = compare(rows_of(5))
    for function in TABLES:
        table: pd.DataFrame = function(comparison)
        assert not len(table)
        assert [*table.columns] == [*function(expected).columns]
    assert count_findings(comparison)["explored"] is explores
