import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from factories import frame, jpeg, key_of, report_parameters
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import fit
from fruits_pipeline.pipelines.report.nodes import (
    count_labels,
    draw_class_sheet,
    plot_photo_map,
    plot_variance_curve,
    summarise_run,
)
from fruits_pipeline.reporting import contact_sheets

pytestmark = pytest.mark.usefixtures("spark")

PARAMETERS = report_parameters(map_photos=100, examples_per_label=2, rejects_shown=2)
ERROR = "cannot be decoded: truncated"
# The lengths of the paths differ; tests use them as seeds and as components.
KIWI_1, KIWI_2, FIG = "Test/Kiwi/1", "Test/Kiwi/200", "Training/Fig/3"
REJECT_1, REJECT_2 = "Training/Fig/broken", "Training/Fig/spoilt"
BATCHES = {
    "000001": {KIWI_1: True, REJECT_2: False, FIG: True},
    "000002": {KIWI_2: True, REJECT_1: False},
}
"""Photos by batch; true if they can be decoded."""

COUNTS = pd.DataFrame(
    {"batch": ["000001", "000002"], "photos": [3, 2], "rejected": [1, 1]}
)
LISTING_COUNTS = {"files": 9, "photos": 5, "gone": 4, "left_out": {".txt": 4}}
PHOTO_COUNTS = pd.DataFrame({"batch": ["000001"], "photos": [9]})

FEATURES = np.random.default_rng(0).standard_normal((20, 3)) @ np.diag([3, 2, 1])

Calls = dict[str, tuple[Any, ...]]
"""Arguments of the last call of each function, by its name."""


def rows_of(decodable: bool) -> list[dict[str, Any]]:
    """Return keys and batches of the photos that can be decoded, or of the others."""
    return [
        key_of(path) | {"batch": batch}
        for batch, paths in BATCHES.items()
        for path, is_decodable in paths.items()
        if is_decodable is decodable
    ]


@pytest.fixture(scope="module")
def images(spark: object) -> DataFrame:
    good = [row | {"image": jpeg(len(row["path"]))} for row in rows_of(decodable=True)]
    errors = [row | {"error": ERROR} for row in rows_of(decodable=False)]
    return frame([*good, *errors], schemas.IMAGES)


@pytest.fixture(scope="module")
def pca() -> FittedPca:
    return FittedPca(fit(moments_of(FEATURES), 0.9, False, None), ("000001",))


def reduced(width: int) -> DataFrame:
    rows = [
        row | {"components": [float(len(row["path"])), -1.0, 7.0][:width]}
        for row in rows_of(decodable=True)
    ]
    return frame(rows, schemas.REDUCED)


def test_photos_and_rejects_are_counted_by_label_and_split(images: DataFrame) -> None:
    counts = count_labels(images)
    assert counts.to_dict("split")["data"] == [
        ["Fig", "Training", 3, 2],
        ["Kiwi", "Test", 2, 0],
    ]
    assert list(counts.columns) == ["label", "split", "photos", "rejected"]


def test_photos_without_label_are_counted_first() -> None:
    rows = [key_of(KIWI_1), key_of(FIG) | {"label": None, "split": None}]
    counts = count_labels(frame(rows, schemas.IMAGES, batch="000001"))
    assert counts.to_dict("split")["data"] == [
        [None, None, 1, 0],
        ["Kiwi", "Test", 1, 0],
    ]


def test_map_shows_photos_by_two_components(pca: FittedPca) -> None:
    points = map_points(plot_photo_map(reduced(3), pca, PARAMETERS))
    assert points == {(float(len(path)), -1.0) for path in (KIWI_1, KIWI_2, FIG)}


def test_missing_second_component_is_zero(pca: FittedPca) -> None:
    points = map_points(plot_photo_map(reduced(1), pca, PARAMETERS))
    assert points == {(float(len(path)), 0.0) for path in (KIWI_1, KIWI_2, FIG)}


def test_map_shows_at_most_map_photos(pca: FittedPca) -> None:
    few = PARAMETERS.model_copy(update={"map_photos": 1})
    assert len(map_points(plot_photo_map(reduced(3), pca, few))) == 1


def map_points(figure: Any) -> set[tuple[float, float]]:
    return {
        (float(x), float(y))
        for trace in figure.data
        for x, y in zip(trace.x, trace.y, strict=True)
        if x is not None
    }


def test_curve_covers_all_components(pca: FittedPca) -> None:
    curve = plot_variance_curve(pca).data[0]
    assert np.allclose(curve.y, 100 * np.cumsum(pca.model.ratios))


@pytest.fixture
def sheet_calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Record the calls of contact sheets, which are drawn as usual."""
    calls: Calls = {}
    draw = contact_sheets.class_sheet

    def record(*arguments: Any) -> Any:
        calls["class_sheet"] = arguments
        return draw(*arguments)

    monkeypatch.setattr(contact_sheets, "class_sheet", record)
    return calls


def test_class_sheet_has_photos_per_label(
    images: DataFrame, sheet_calls: Calls
) -> None:
    draw_class_sheet(images, COUNTS, {"images": 0}, PARAMETERS)
    photos, per_label, _ = sheet_calls["class_sheet"]
    assert list(photos["label"]) == ["Fig", "Kiwi", "Kiwi"]
    assert set(photos["path"]) == {KIWI_1, KIWI_2, FIG}
    assert list(photos["image"]) == [jpeg(len(path)) for path in photos["path"]]
    assert per_label == 2


def test_class_sheet_contains_at_most_examples_per_label(
    images: DataFrame, sheet_calls: Calls
) -> None:
    few = PARAMETERS.model_copy(update={"examples_per_label": 1})
    draw_class_sheet(images, COUNTS, {"images": 0}, few)
    assert list(sheet_calls["class_sheet"][0]["label"]) == ["Fig", "Kiwi"]


def test_examples_of_a_label_are_from_its_first_batch(sheet_calls: Calls) -> None:
    names = {"a": "000002", "b": "000002", "y": "000001", "z": "000001"}
    rows = [
        key_of(f"Test/Kiwi/{name}") | {"batch": batch, "image": jpeg(1)}
        for name, batch in names.items()
    ]
    draw_class_sheet(frame(rows, schemas.IMAGES), COUNTS, {"images": 0}, PARAMETERS)
    photos, *_ = sheet_calls["class_sheet"]
    assert list(photos["path"]) == ["Test/Kiwi/y", "Test/Kiwi/z"]


FEATURE_COUNTS = pd.DataFrame({"batch": ["000001", "000002"], "photos": [2, 1]})


def test_summary_counts_photos_and_features(pca: FittedPca) -> None:
    summary = summarise_run(PHOTO_COUNTS, COUNTS, FEATURE_COUNTS, pca, LISTING_COUNTS)
    assert summary == {
        "files": 9,
        "left_out": {".txt": 4},
        "photos_listed": 5,
        "photos": 9,
        "rejected": 2,
        "gone": 4,
        "moved": 0,
        "deleted": 0,
        "features": 3,
        "feature_width": 3,
        "components": len(pca.model.components),
        "explained_variance": round(pca.model.explained, 6),
        "components_for": summary["components_for"],
    }


def test_summary_is_json(pca: FittedPca) -> None:
    summary = summarise_run(PHOTO_COUNTS, COUNTS, FEATURE_COUNTS, pca, LISTING_COUNTS)
    assert json.loads(json.dumps(summary)) == summary


def test_summary_contains_the_components_for_other_shares(pca: FittedPca) -> None:
    summary = summarise_run(PHOTO_COUNTS, COUNTS, FEATURE_COUNTS, pca, LISTING_COUNTS)
    explained = np.cumsum(pca.model.ratios)
    for share, components in summary["components_for"].items():
        variance = int(share.removesuffix("%")) / 100
        assert explained[components - 1] >= variance
        assert components == 1 or explained[components - 2] < variance
