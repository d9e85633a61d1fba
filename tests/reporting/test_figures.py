import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from plotly.io import from_json

from fruits_pipeline.reporting.figures import photo_map, variance_curve

RATIOS = np.array([0.5, 0.25, 0.125, 0.125])


def texts(figure: go.Figure) -> list[str]:
    """Return the annotations of a figure without HTML tags."""
    tags = ("<b>", "</b>", "&nbsp;")
    found = [annotation.text for annotation in figure.layout.annotations]
    for tag in tags:
        found = [text.replace(tag, "") for text in found]
    return found


def points(labels: list[str | None]) -> pd.DataFrame:
    """Return the points of one photo per label."""
    count = len(labels)
    return pd.DataFrame(
        {
            "path": [f"Training/{label}/{i}.jpg" for i, label in enumerate(labels)],
            "label": pd.Series(labels, dtype=object),
            "split": ["Training"] * count,
            "x": np.arange(count, dtype=float),
            "y": -np.arange(count, dtype=float),
        }
    )


def styles(figure: go.Figure) -> set[tuple[str, str]]:
    """Return the pairs of colour and symbol in a figure."""
    return {(trace.marker.color, trace.marker.symbol) for trace in figure.data}


def test_curve_is_the_cumulative_share_in_percent() -> None:
    curve = variance_curve(RATIOS, 2, {}).data[0]
    assert list(curve.x) == [1, 2, 3, 4]
    assert list(curve.y) == [50, 75, 87.5, 100]


def test_title_contains_share_and_number_of_components() -> None:
    figure = variance_curve(np.full(1280, 1 / 1280), 1216, {})
    assert (
        figure.layout.title.text == "95 % of the variance in 1,216 of 1,280 components"
    )


def test_share_in_title_is_rounded_down() -> None:
    figure = variance_curve(np.array([0.9999, 0.0001]), 1, {})
    assert figure.layout.title.text.startswith("99.9 %")


def test_marks_are_labelled_with_share_and_components() -> None:
    figure = variance_curve(RATIOS, 2, {0.8: 3, 0.99: 4})
    assert texts(figure) == ["80 % in 3", "99 % in 4", "2 kept"]


def test_mark_at_the_kept_components_is_highlighted() -> None:
    annotations = variance_curve(RATIOS, 3, {0.5: 1, 0.8: 3}).layout.annotations
    other, kept, highlight = (annotation.font.color for annotation in annotations)
    assert kept == highlight != other


def test_kept_components_are_marked_on_the_curve() -> None:
    marker = variance_curve(RATIOS, 3, {0.8: 3}).data[-1]
    assert (marker.x[-1], marker.y[-1]) == (3, 87.5)


@pytest.mark.parametrize(("components", "mark"), [(0, 1), (5, 1), (1, 5)])
def test_components_out_of_range_are_rejected(components: int, mark: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 4"):
        variance_curve(RATIOS, components, {0.9: mark})


def test_map_axes_contain_the_explained_variance() -> None:
    layout = photo_map(points(["Kiwi"]), (0.234, 0.1151)).layout
    assert layout.xaxis.title.text == "PC 1 (23.4 %)"
    assert layout.yaxis.title.text == "PC 2 (11.5 %)"


def test_each_label_is_one_trace() -> None:
    figure = photo_map(points(["Kiwi", "Fig", "Kiwi"]), (0.5, 0.2))
    assert [trace.name for trace in figure.data] == ["Fig", "Kiwi"]
    assert list(figure.data[1].x) == [0, 2]


def test_photos_without_label_are_grey_and_last() -> None:
    figure = photo_map(points(["Kiwi", None, None]), (0.5, 0.2))
    unlabelled, kiwi = figure.data
    assert (unlabelled.name, len(unlabelled.x), kiwi.name) == ("no label", 2, "Kiwi")
    assert unlabelled.legendrank > 1000
    red, green, blue = (unlabelled.marker.color[i : i + 2] for i in (1, 3, 5))
    assert red == green == blue


def test_label_no_label_is_not_the_absence_of_a_label() -> None:
    figure = photo_map(points(["no label", None]), (0.5, 0.2))
    assert [trace.name for trace in figure.data] == ["(no label)", "no label"]


def test_two_hundred_labels_have_different_styles() -> None:
    labels: list[str | None] = [f"Apple {i}" for i in range(200)]
    assert len(styles(photo_map(points(labels), (0.5, 0.2)))) == 200


def test_styles_repeat_for_three_hundred_labels() -> None:
    labels: list[str | None] = [f"Apple {i}" for i in range(300)]
    assert len(photo_map(points(labels), (0.5, 0.2)).data) == 300


def test_hover_text_contains_label_path_and_split() -> None:
    trace = photo_map(points(["Kiwi"]), (0.5, 0.2)).data[0]
    assert trace.meta == "Kiwi"
    assert trace.text[0] == "Training/Kiwi/0.jpg<br>Training"
    assert "%{meta}" in trace.hovertemplate
    assert "%{text}" in trace.hovertemplate


def test_hover_text_without_split_contains_the_path() -> None:
    photos = points(["Kiwi"]).assign(split=None)
    assert photo_map(photos, (0.5, 0.2)).data[0].text[0] == "Training/Kiwi/0.jpg"


def test_markup_in_labels_is_escaped() -> None:
    trace = photo_map(points(["<b>Fig</b>"]), (0.5, 0.2)).data[0]
    assert trace.name == "&lt;b&gt;Fig&lt;/b&gt;"


def test_long_label_is_shortened_only_in_the_legend() -> None:
    trace = photo_map(points(["Apple " * 20]), (0.5, 0.2)).data[0]
    assert len(trace.name) < 30
    assert trace.meta == "Apple " * 20


def test_map_may_be_empty() -> None:
    figure = photo_map(points([]), (0.5, 0.2))
    assert figure.layout.title.text.startswith("0 photos")


@pytest.mark.parametrize(
    "figure",
    [
        variance_curve(RATIOS, 3, {0.8: 3}),
        photo_map(points(["Kiwi", None]), (0.5, 0.2)),
    ],
)
def test_figures_survive_json(figure: go.Figure) -> None:
    stored = figure.to_json()
    assert json.loads(from_json(stored).to_json()) == json.loads(stored)
