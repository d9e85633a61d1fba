from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from making import batches, by_path, jpeg, key_of, truncated
from pyspark.sql import DataFrame as SparkDataFrame

from fruits_pipeline import contact_sheets, schemas
from fruits_pipeline.batches import Batches
from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.moments import moments_of
from fruits_pipeline.parameters import ReportParameters
from fruits_pipeline.pca import fit
from fruits_pipeline.pipelines.report.nodes import (
    count_labels,
    draw_class_sheet,
    draw_reject_sheet,
    list_rejects,
    plot_photo_map,
    plot_variance_curve,
    select_current,
    summarise_run,
)

pytestmark = pytest.mark.usefixtures("spark")

PARAMETERS = ReportParameters(map_photos=100, examples_per_label=2, rejects_shown=2)
ERROR = "cannot be decoded: truncated"
GOOD, MENDED, SPOILT = "Test/Kiwi/good", "Test/Kiwi/mended", "Training/Fig/spoilt"
PLAIN, BROKEN = "Training/Fig/plain", "Training/Fig/broken"
TAKEN = {
    "000001": {GOOD: True, MENDED: False, SPOILT: True, PLAIN: True},
    "000002": {MENDED: True, SPOILT: False, BROKEN: False},
}
"""Photos by batch, and whether they can be decoded."""

VECTORS = np.random.default_rng(0).standard_normal((20, 3)) @ np.diag([3, 2, 1])


def tables(**columns: Any) -> Mapping[str, Sequence[dict[str, Any]]]:
    """Return rows of `TAKEN`: good photos with columns, by function of the path."""
    return {
        batch: [
            {**key_of(path), **{name: of(path) for name, of in columns.items()}}
            for path, good in paths.items()
            if good
        ]
        for batch, paths in TAKEN.items()
    }


@pytest.fixture(scope="module")
def images(spark: object) -> Batches:
    rows = tables(image=lambda path: jpeg(len(path)))
    errors = {
        batch: [{**key_of(p), "error": ERROR} for p, good in paths.items() if not good]
        for batch, paths in TAKEN.items()
    }
    both = {batch: [*rows[batch], *errors[batch]] for batch in TAKEN}
    return batches(both, schemas.IMAGES)


@pytest.fixture(scope="module")
def current(images: Batches) -> SparkDataFrame:
    return select_current(images).cache()


@pytest.fixture(scope="module")
def pca() -> FittedPca:
    return FittedPca(fit(moments_of(VECTORS), 0.9, False, None), ("000001",), {})


def reduced(width: int) -> Batches:
    rows = tables(components=lambda path: [float(len(path)), -1.0, 7.0][:width])
    return batches(rows, schemas.REDUCED)


def test_the_newest_rows_are_current_without_their_pixels(
    current: SparkDataFrame,
) -> None:
    rows = by_path(current)
    broken = {path for path, row in rows.items() if row["error"]}
    assert rows.keys() == {GOOD, MENDED, SPOILT, PLAIN, BROKEN}
    assert broken == {SPOILT, BROKEN}
    assert "image" not in current.columns


def test_photos_and_rejects_are_counted_by_label_and_split(
    current: SparkDataFrame,
) -> None:
    counts = count_labels(current)
    assert counts.to_dict("split")["data"] == [
        ["Fig", "Training", 3, 2],
        ["Kiwi", "Test", 2, 0],
    ]
    assert list(counts.columns) == ["label", "split", "photos", "rejected"]


def test_rejects_are_listed_with_their_reasons(current: SparkDataFrame) -> None:
    rejects = list_rejects(current)
    assert list(rejects["path"]) == [BROKEN, SPOILT]
    assert set(rejects["error"]) == {ERROR}


def test_the_map_shows_current_photos_by_two_components(
    current: SparkDataFrame, pca: FittedPca
) -> None:
    points = map_points(plot_photo_map(reduced(3), current, pca, PARAMETERS))
    assert points == {(float(len(path)), -1.0) for path in (GOOD, MENDED, PLAIN)}


def test_one_component_makes_a_map_of_one_line(
    current: SparkDataFrame, pca: FittedPca
) -> None:
    points = map_points(plot_photo_map(reduced(1), current, pca, PARAMETERS))
    assert points == {(float(len(path)), 0.0) for path in (GOOD, MENDED, PLAIN)}


def test_the_map_shows_no_more_photos_than_asked(
    current: SparkDataFrame, pca: FittedPca
) -> None:
    few = PARAMETERS.model_copy(update={"map_photos": 1})
    assert len(map_points(plot_photo_map(reduced(3), current, pca, few))) == 1


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


def test_the_class_sheet_has_a_few_current_photos_of_each_label(
    images: Batches, current: SparkDataFrame, drawn: dict[str, tuple[Any, ...]]
) -> None:
    draw_class_sheet(images, current, PARAMETERS)
    photos, per_label = drawn["class_sheet"]
    assert list(photos["label"]) == ["Fig", "Kiwi", "Kiwi"]
    assert set(photos["path"]) == {GOOD, MENDED, PLAIN}
    assert list(photos["image"]) == [jpeg(len(path)) for path in photos["path"]]
    assert per_label == 2


def test_the_class_sheet_has_no_more_of_a_label_than_asked(
    images: Batches, current: SparkDataFrame, drawn: dict[str, tuple[Any, ...]]
) -> None:
    few = PARAMETERS.model_copy(update={"examples_per_label": 1})
    draw_class_sheet(images, current, few)
    assert list(drawn["class_sheet"][0]["label"]) == ["Fig", "Kiwi"]


def photos() -> Batches:
    rows = {
        batch: [{**key_of(path), "content": truncated(len(path))} for path in paths]
        for batch, paths in TAKEN.items()
    }
    return batches(rows, schemas.PHOTOS)


def test_the_reject_sheet_has_the_bytes_that_could_not_be_decoded(
    current: SparkDataFrame, drawn: dict[str, tuple[Any, ...]]
) -> None:
    draw_reject_sheet(photos(), current, PARAMETERS)
    rejects, rejected, total = drawn["reject_sheet"]
    assert list(rejects["path"]) == [BROKEN, SPOILT]
    assert list(rejects["content"]) == [truncated(len(p)) for p in (BROKEN, SPOILT)]
    assert (rejected, total) == (2, 5)


@pytest.mark.parametrize("shown", [0, 1])
def test_the_reject_sheet_has_no_more_than_asked(
    current: SparkDataFrame, drawn: dict[str, tuple[Any, ...]], shown: int
) -> None:
    few = PARAMETERS.model_copy(update={"rejects_shown": shown})
    draw_reject_sheet(photos(), current, few)
    rejects, rejected, _ = drawn["reject_sheet"]
    assert (len(rejects), rejected) == (shown, 2)


def test_without_rejects_the_sheet_is_drawn_all_the_same(
    current: SparkDataFrame, drawn: dict[str, tuple[Any, ...]]
) -> None:
    draw_reject_sheet(photos(), current.where("error is null"), PARAMETERS)
    rejects, *counts = drawn["reject_sheet"]
    assert isinstance(rejects, pd.DataFrame)
    assert (len(rejects), counts) == (0, [0, 3])


def test_the_summary_counts_current_photos_and_features(
    current: SparkDataFrame, pca: FittedPca
) -> None:
    rows = tables(features=lambda path: [0.0, 1.0, 2.0])
    summary = summarise_run(current, batches(rows, schemas.FEATURES), pca)
    assert summary == {
        "photos": 5,
        "rejected": 2,
        "features": 3,
        "feature_width": 3,
        "components": len(pca.model.components),
        "explained_variance": round(pca.model.explained, 6),
        "components_for": summary["components_for"],
    }


def test_the_summary_says_what_other_shares_would_take(
    current: SparkDataFrame, pca: FittedPca
) -> None:
    rows = tables(features=lambda path: [0.0, 1.0, 2.0])
    summary = summarise_run(current, batches(rows, schemas.FEATURES), pca)
    kept = np.cumsum(pca.model.ratios)
    for share, components in summary["components_for"].items():
        least = int(share.removesuffix("%")) / 100
        assert kept[components - 1] >= least
        assert components == 1 or kept[components - 2] < least
