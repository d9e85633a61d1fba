"""Interactive figure of a confusion matrix."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from fruits_pipeline.models.classifiers import UNKNOWN, distinct_text
from fruits_pipeline.reporting.theme import (
    FIGURE_ACCENT,
    count_text,
    plotly_layout,
    plotly_text,
    short_name,
)

_ROW_HEIGHT = 18  # pixels
_MARGINS = 260
_MAX_GAPS = 40  # between labels; more would hide the cells of a small figure
# Shares of 0 are visible on dark and light backgrounds.
_COLOURS = ((0, "rgba(217, 89, 15, 0.1)"), (1, FIGURE_ACCENT))


def confusion_matrix(answers: pd.DataFrame) -> go.Figure:
    """Plot the answers of a classifier by label.

    Args:
        answers: At least one row, one per photo: `label`, `answer` (None if unknown) and
            `right` (whether the answer is correct).

    Returns:
        A heat map: one row per label, one column per answer with `UNKNOWN` as the last,
        and the share of the label's photos as colour. Hovering shows their number.
    """
    names = sorted({*answers["label"], *answers["answer"].dropna()})
    unknown = distinct_text(UNKNOWN, names)
    counts = pd.crosstab(answers["label"], answers["answer"].fillna(unknown))
    counts = counts.reindex(columns=[*names, unknown], fill_value=0)
    shares = counts.div(counts.sum(axis=1), axis=0)
    correct = int(answers["right"].sum())
    title = f"{correct:,} of {count_text(len(answers), 'answer')} correct"
    height = _MARGINS + _ROW_HEIGHT * len(counts)
    gap = 1 if len(names) <= _MAX_GAPS else 0
    figure = go.Figure(layout=plotly_layout(title, height))
    figure.add_heatmap(
        x=[*map(plotly_text, counts.columns)],
        y=[*map(plotly_text, counts.index)],
        z=100 * shares.to_numpy(),
        customdata=counts.to_numpy(),
        colorscale=_COLOURS,
        zmin=0,
        zmax=100,
        xgap=gap,
        ygap=gap,
        colorbar={"ticksuffix": " %", "title_text": "share of label"},
        hovertemplate="label <b>%{y}</b>, answer <b>%{x}</b>"
        "<br>%{customdata:,} photos, %{z:.1f} % of the label<extra></extra>",
    )
    figure.update_xaxes(title_text="answer", tickangle=-60, **_axis(counts.columns))
    return figure.update_yaxes(
        title_text="label", autorange="reversed", **_axis(counts.index)
    )


def _axis(names: Iterable[str]) -> dict[str, Any]:
    """Return the properties of an axis with a name for each row or column.

    Without long names, Plotly shows as many as there is space for.
    """
    # Without the type, Plotly takes labels such as 1 and 01 for the same number.
    axis = {"type": "category", "showgrid": False}
    full = [*names]
    short = [short_name(name) for name in full]
    if short == full:
        return axis
    return axis | {
        "tickvals": [*range(len(short))],
        "ticktext": [*map(plotly_text, short)],
    }
