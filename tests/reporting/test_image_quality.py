import pandas as pd
import pytest

from fruits_pipeline.reporting.image_quality import (
    add_shape,
    count_measures,
    find_issues,
)

LIMITS = {"dark": 0.2, "bright": 0.9, "tiny": 64, "odd_aspect": 3.0}


def photos(**columns: list[float]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    typical = {
        **{"width": 400, "height": 300, "brightness": 0.5, "contrast": 0.2},
        **{"sharpness": 0.9, "saturation": 0.4, "label": "Kiwi"},
    }
    paths = [f"{i}.jpg" for i in range(n)]
    return add_shape(pd.DataFrame({"path": paths, **typical}).assign(**columns))


def test_photos_beyond_a_limit_are_listed_the_worst_first() -> None:
    rows = photos(brightness=[0.1, 0.5, 0.95, 0.05, 0.2, 0.9, 0.99])
    issues, counts = find_issues([rows], LIMITS, 9)
    assert [*issues.columns] == ["path", "label", "issue", "value", "threshold"]
    assert [*zip(issues["issue"], issues["path"], strict=True)] == [
        *(("dark", "3.jpg"), ("dark", "0.jpg")),
        *(("bright", "6.jpg"), ("bright", "2.jpg")),
    ]
    assert [*issues["threshold"]] == [0.2, 0.2, 0.9, 0.9]
    assert counts == {"dark": 2, "bright": 2, "tiny": 0, "odd_aspect": 0}


def test_size_and_shape_are_those_of_the_original() -> None:
    rows = photos(width=[63, 400, 100, 64], height=[900, 63, 400, 64])
    issues, counts = find_issues([rows], LIMITS, 9)
    assert counts == {"dark": 0, "bright": 0, "tiny": 2, "odd_aspect": 3}
    found = issues[issues["issue"] == "odd_aspect"]
    assert [*found["path"]] == ["0.jpg", "1.jpg", "2.jpg"]
    assert [*found["value"]] == [pytest.approx(v) for v in (900 / 63, 400 / 63, 4)]


def test_many_issues_are_counted_and_cut() -> None:
    issues, counts = find_issues([photos(brightness=[0.1] * 50)], LIMITS, 7)
    assert (len(issues), counts["dark"]) == (7, 50)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_worst_photos_of_all_chunks_are_listed(size: int) -> None:
    rows = photos(brightness=[0.1, 0.5, 0.95, 0.05, 0.1, 0.9, 0.99])
    chunks = [rows[i : i + size] for i in range(0, len(rows), size)]
    issues, counts = find_issues(chunks, LIMITS, 2)
    assert [*issues["path"]] == ["3.jpg", "0.jpg", "6.jpg", "2.jpg"]
    assert counts == {"dark": 3, "bright": 2, "tiny": 0, "odd_aspect": 0}
    assert count_measures(chunks) == count_measures([rows])


def test_there_are_no_issues_of_no_photos() -> None:
    issues, counts = find_issues([photos(brightness=[])], LIMITS, 7)
    assert (len(issues), sum(counts.values())) == (0, 0)
    assert [*issues.columns] == ["path", "label", "issue", "value", "threshold"]


def test_every_photo_is_in_each_histogram() -> None:
    rows = photos(brightness=[0, 0.5, 1], sharpness=[0, 1, 99], width=[1, 9, 10_000])
    for histogram in count_measures([rows]).values():
        assert sum(histogram["counts"]) == 3
        assert len(histogram["edges"]) == len(histogram["counts"]) + 1
    assert count_measures([rows])["brightness"]["counts"][20] == 1
