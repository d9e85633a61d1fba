from typing import Any

import pandas as pd
from page_results import make_results

from fruits_pipeline.reporting.page.coverage import coverage
from fruits_pipeline.reporting.page.section import Section

ROWS = [
    ("Fig", "Training", "1", 30),
    ("Fig", "Test", "2", 10),
    ("Kiwi", "Training", "1", 50),
    ("Kiwi", "Test", "1", 5),
    ("Lime", "Training", None, 8),
]


def section(rows: list[tuple[Any, ...]] = ROWS, **changes: Any) -> Section:
    columns = ["label", "split", "series", "photos"]
    table = pd.DataFrame(rows, columns=columns).assign(new_photos=0)
    return coverage(make_results(coverage=table, **changes))


def test_labels_with_poor_coverage_are_listed_first() -> None:
    found = section()
    assert found.content is not None
    bars = {bar["label"]: bar["warnings"] for bar in found.content["bars"]}
    assert bars == {
        "Kiwi": ["one series only"],
        "Lime": ["fewer than 20 photos", "none for testing"],
        "Fig": [],
    }
    assert [*bars][-1] == "Fig"
    assert found.alerts == ["2 labels with poor coverage."]


def test_photos_without_splits_and_labels_have_no_split_warnings() -> None:
    found = section([(None, None, None, 40)])
    assert found.content is not None
    (bar,) = found.content["bars"]
    assert (bar["label"], bar["warnings"]) == ("no label", [])


def test_first_photos_are_not_compared_with_themselves() -> None:
    changes = make_results()["batch_changes"]
    found = section(batch_changes=changes | {"earlier_photos": 0})
    assert found.content is not None
    assert found.content["batch"] is None
    other = section(batch_changes=changes).content
    assert other is not None
    assert other["batch"]["measures"] == [
        {"name": "brightness", "new": "0.40", "earlier": "0.50"}
    ]
