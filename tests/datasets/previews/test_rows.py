import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from fruits_pipeline.datasets.previews.rows import (
    cell_text,
    frame_preview,
    object_preview,
    rows_preview,
    spread,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (float("nan"), ""),
        (True, "yes"),
        (1253, "1,253"),
        (0.123456, "0.1235"),
        (b"x" * 9400, "9.4 kB"),
        (b"", "0 B"),
        (datetime(2026, 11, 1, 12, 5, 9, tzinfo=UTC), "2026-11-01 12:05"),
        ("a" * 64, "aaaaaaaa…"),
        ("line\none", "line one"),
        ([1.0, 2.0], "1,\N{NO-BREAK SPACE}2"),
        (pa.array([], pa.float32()), ""),
        ({"photos": 6, "recall": 0.5}, "photos 6, recall 0.5"),
    ],
)
def test_value_is_a_short_text(value: object, text: str) -> None:
    assert cell_text(value) == text


def test_vector_is_shortened_and_does_not_break() -> None:
    text = cell_text([0.5] * 1336)
    assert text.replace("\N{NO-BREAK SPACE}", " ") == "0.5, 0.5, 0.5, … (1,336 values)"
    assert " " not in text


def test_long_text_keeps_both_ends() -> None:
    text = cell_text("start" + "x" * 500 + "end")
    assert text.startswith("start")
    assert text.endswith("end")
    assert len(text) < 100


def test_photo_id_is_the_last_column() -> None:
    preview = rows_preview([{"photo_id": "0" * 64, "path": "a.jpg", "label": None}])
    assert preview["columns"] == ["path", "label", "photo_id"]
    assert preview["data"] == [["a.jpg", "", "00000000…"]]


def test_data_frame_with_arrays_and_missing_values_is_json() -> None:
    frame = pd.DataFrame(
        {"v": [np.arange(9.0), None], "n": [1, None], "l": ["a", None]}
    )
    preview = frame_preview(frame)
    assert preview["data"][1] == ["", "", ""]
    assert json.dumps(preview)


def test_table_without_rows_says_so() -> None:
    assert rows_preview([])["data"] == [["The table has no rows."]]


def test_nested_object_has_a_row_for_each_value() -> None:
    content = {
        "photo_count": 3,
        "seconds": {"ingest": 1.96},
        "by_label": {"Apple": {"photos": 6, "recall": 1.0}},
        "findings": [{"file": "a", "lost": 1}, "torn"],
        "left_out": {},
        "notes": [],
    }
    assert object_preview(content)["data"] == [
        ["photo count", "3"],
        ["seconds: ingest", "1.96"],
        ["by label: Apple", "photos 6, recall 1"],
        ["findings 1", "file a, lost 1"],
        ["findings 2", "torn"],
        ["left out", "none"],
        ["notes", "none"],
    ]


@pytest.mark.parametrize(
    ("count", "wanted", "positions"),
    [(0, 3, []), (2, 3, [0, 1]), (9, 3, [0, 3, 6]), (5, 2, [0, 2]), (5, 0, [])],
)
def test_positions_are_evenly_spaced(
    count: int, wanted: int, positions: list[int]
) -> None:
    assert spread(count, wanted) == positions
