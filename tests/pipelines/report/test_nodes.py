import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from factories import frame, jpeg, key_of, truncated
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import fit
from fruits_pipeline.parameters import ReportParameters
from fruits_pipeline.pipelines.report.nodes import (
    count_labels,
    draw_class_sheet,
    draw_reject_sheet,
    list_rejects,
    plot_photo_map,
    plot_variance_curve,
    summarise_run,
)
from fruits_pipeline.reporting import contact_sheets

pytestmark = pytest.mark.usefixtures("spark")

PARAMETERS = ReportParameters(map_photos=100, examples_per_label=2, rejects_shown=2)
ERROR = "cannot be decoded: truncated"
GOOD, MENDED, SPOILT = "Test/Kiwi/good", "Test/Kiwi/mended", "Training/Fig/spoilt"
PLAIN, BROKEN = "Training/Fig/plain", "Training/Fig/broken"
TAKEN = {
    "000001": {GOOD: True, SPOILT: False, PLAIN: True},
    "000002": {MENDED: True, BROKEN: False},
}
"""Photos by batch, and whether they can be decoded."""

COUNTS = pd.DataFrame(
    {"batch": ["000001", "000002"], "photos": [3, 2], "rejected": [1, 1]}
)
LISTED = {"files": 9, "photos": 5, "gone": 4}

VECTORS = np.random.default_rng(0).standard_normal((20, 3)) @ np.diag([3, 2, 1])


def rows_of(good: bool) -> list[dict[str, Any]]:
    """Return the keys of photos that can be decoded, or cannot, by batch."""
    return [
        key_of(path) | {"batch": batch}
        for batch, paths in TAKEN.items()
        for path, is_good in paths.items()
        if is_good is good
    ]


@pytest.fixture(scope="module")
def images(spark: object) -> DataFrame:
    good = [row | {"image": jpeg(len(row["path"]))} for row in rows_of(good=True)]
    errors = [row | {"error": ERROR} for row in rows_of(good=False)]
    return frame([*good, *errors], schemas.IMAGES)


@pytest.fixture(scope="module")
def pca() -> FittedPca:
    return FittedPca(fit(moments_of(VECTORS), 0.9, False, None), ("000001",))


def reduced(width: int) -> DataFrame:
    rows = [
        row | {"components": [float(len(row["path"])), -1.0, 7.0][:width]}
        for row in rows_of(good=True)
    ]
    return frame(rows, schemas.REDUCED)


def test_photos_and_rejects_are_counted_by_label_and_split(images: DataFrame) -> None:
    counts = count_labels(images)
    assert counts.to_dict("split")["data"] == [
        ["Fig", "Training", 3, 2],
        ["Kiwi", "Test", 2, 0],
    ]
    assert list(counts.columns) == ["label", "split", "photos", "rejected"]


def test_photos_without_a_label_are_counted_first() -> None:
    rows = [key_of(GOOD), key_of(PLAIN) | {"label": None, "split": None}]
    counts = count_labels(frame(rows, schemas.IMAGES, batch="000001"))
    assert counts.to_dict("split")["data"] == [
        [None, None, 1, 0],
        ["Kiwi", "Test", 1, 0],
    ]


def test_rejects_are_listed_with_their_reasons(images: DataFrame) -> None:
    rejects = list_rejects(images)
    assert list(rejects["path"]) == [BROKEN, SPOILT]
    assert set(rejects["error"]) == {ERROR}
    assert list(rejects.columns) == ["path", "label", "split", "error"]


def test_the_map_shows_photos_by_two_components(pca: FittedPca) -> None:
    points = map_points(plot_photo_map(reduced(3), pca, PARAMETERS))
    assert points == {(float(len(path)), -1.0) for path in (GOOD, MENDED, PLAIN)}


def test_one_component_makes_a_map_of_one_line(pca: FittedPca) -> None:
    points = map_points(plot_photo_map(reduced(1), pca, PARAMETERS))
    assert points == {(float(len(path)), 0.0) for path in (GOOD, MENDED, PLAIN)}


def test_the_map_shows_no_more_photos_than_asked(pca: FittedPca) -> None:
    few = PARAMETERS.model_copy(update={"map_photos": 1})
    assert len(map_points(plot_photo_map(reduced(3), pca, few))) == 1


def map_points(figure: Any) -> set[tuple[float, float]]:
    return {
        (float(x), float(y))
        for trace in figure.data
        for x, y in zip(trace.x, trace.y, strict=True)
        if x is not None
    }


def test_the_curve_is_of_the_whole_spectrum(pca: FittedPca) -> None:
    curve = plot_variance_curve(pca).data[0]
    assert np.allclose(curve.y, 100 * np.cumsum(pca.model.ratios))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Any, ...]]:
    """Note what the contact sheets are asked to draw, and draw it."""
    seen: dict[str, tuple[Any, ...]] = {}

    def noting(name: str) -> Any:
        draw = getattr(contact_sheets, name)

        def note(*arguments: Any) -> Any:
            seen[name] = arguments
            return draw(*arguments)

        return note

    for name in ("class_sheet", "reject_sheet"):
        monkeypatch.setattr(contact_sheets, name, noting(name))
    return seen


def test_the_class_sheet_has_a_few_photos_of_each_label(
    images: DataFrame, drawn: dict[str, tuple[Any, ...]]
) -> None:
    draw_class_sheet(images, PARAMETERS)
    photos, per_label = drawn["class_sheet"]
    assert list(photos["label"]) == ["Fig", "Kiwi", "Kiwi"]
    assert set(photos["path"]) == {GOOD, MENDED, PLAIN}
    assert list(photos["image"]) == [jpeg(len(path)) for path in photos["path"]]
    assert per_label == 2


def test_the_class_sheet_has_no_more_of_a_label_than_asked(
    images: DataFrame, drawn: dict[str, tuple[Any, ...]]
) -> None:
    few = PARAMETERS.model_copy(update={"examples_per_label": 1})
    draw_class_sheet(images, few)
    assert list(drawn["class_sheet"][0]["label"]) == ["Fig", "Kiwi"]


def test_examples_of_a_label_are_of_its_first_batch(
    drawn: dict[str, tuple[Any, ...]],
) -> None:
    names = {"a": "000002", "b": "000002", "y": "000001", "z": "000001"}
    rows = [
        key_of(f"Test/Kiwi/{name}") | {"batch": batch, "image": jpeg(1)}
        for name, batch in names.items()
    ]
    draw_class_sheet(frame(rows, schemas.IMAGES), PARAMETERS)
    photos, _ = drawn["class_sheet"]
    assert list(photos["path"]) == ["Test/Kiwi/y", "Test/Kiwi/z"]


@pytest.fixture(scope="module")
def photos(spark: object) -> DataFrame:
    rows = [
        row | {"content": truncated(len(row["path"]))}
        for good in (True, False)
        for row in rows_of(good)
    ]
    return frame(rows, schemas.PHOTOS)


def test_the_reject_sheet_has_the_bytes_that_could_not_be_decoded(
    photos: DataFrame, images: DataFrame, drawn: dict[str, tuple[Any, ...]]
) -> None:
    draw_reject_sheet(photos, images, COUNTS, PARAMETERS)
    rejects, rejected, total = drawn["reject_sheet"]
    assert list(rejects["path"]) == [BROKEN, SPOILT]
    assert list(rejects["content"]) == [truncated(len(p)) for p in (BROKEN, SPOILT)]
    assert list(rejects["error"]) == [ERROR, ERROR]
    assert (rejected, total) == (2, 5)


@pytest.mark.parametrize("shown", [0, 1])
def test_the_reject_sheet_has_no_more_than_asked(
    photos: DataFrame,
    images: DataFrame,
    drawn: dict[str, tuple[Any, ...]],
    shown: int,
) -> None:
    few = PARAMETERS.model_copy(update={"rejects_shown": shown})
    draw_reject_sheet(photos, images, COUNTS, few)
    rejects, rejected, _ = drawn["reject_sheet"]
    assert (len(rejects), rejected) == (shown, 2)


def test_without_rejects_the_sheet_is_drawn_all_the_same(
    photos: DataFrame, images: DataFrame, drawn: dict[str, tuple[Any, ...]]
) -> None:
    counts = pd.DataFrame({"batch": ["000001"], "photos": [3], "rejected": [0]})
    draw_reject_sheet(photos, images.where("error is null"), counts, PARAMETERS)
    rejects, *counted = drawn["reject_sheet"]
    assert isinstance(rejects, pd.DataFrame)
    assert (len(rejects), counted) == (0, [0, 3])


FEATURE_COUNTS = pd.DataFrame({"batch": ["000001", "000002"], "photos": [2, 1]})


def test_the_summary_counts_photos_and_features(pca: FittedPca) -> None:
    summary = summarise_run(COUNTS, FEATURE_COUNTS, pca, LISTED)
    assert summary == {
        "photos": 5,
        "rejected": 2,
        "gone": 4,
        "features": 3,
        "feature_width": 3,
        "components": len(pca.model.components),
        "explained_variance": round(pca.model.explained, 6),
        "components_for": summary["components_for"],
    }


def test_the_summary_is_of_json_numbers(pca: FittedPca) -> None:
    summary = summarise_run(COUNTS, FEATURE_COUNTS, pca, LISTED)
    assert json.loads(json.dumps(summary)) == summary


def test_the_summary_says_what_other_shares_would_take(pca: FittedPca) -> None:
    summary = summarise_run(COUNTS, FEATURE_COUNTS, pca, LISTED)
    kept = np.cumsum(pca.model.ratios)
    for share, components in summary["components_for"].items():
        least = int(share.removesuffix("%")) / 100
        assert kept[components - 1] >= least
        assert components == 1 or kept[components - 2] < least
