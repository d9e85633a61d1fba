"""A figure of which labels are taken for which."""

import html

import pandas as pd
import plotly.graph_objects as go

from fruits_pipeline.models.classifiers import UNKNOWN
from fruits_pipeline.reporting.figures import ACCENT, counted, layout

_ROW = 18
_FRAME = 260


def confusion(answers: pd.DataFrame) -> go.Figure:
    """Draw a row for every label, with the share of its photos by answer.

    Args:
        answers: `label`, `answer` (`UNKNOWN` is the last column) and whether it is
            `right`, of one photo at least.

    Returns:
        The figure: a heat map of shares, with the numbers of photos on hovering.
    """
    counts = pd.crosstab(answers["label"], answers["answer"])
    names = sorted({*counts.index, *counts.columns} - {UNKNOWN})
    columns = [*names, UNKNOWN]
    counts = counts.reindex(columns=columns, fill_value=0)
    shares = counts.div(counts.sum(axis=1), axis=0)
    right = int(answers["right"].sum())
    title = f"{right:,} of {counted(len(answers), 'photo')} answered rightly"
    height = _FRAME + _ROW * len(counts)
    figure = go.Figure(layout=layout(title, height))
    figure.add_heatmap(
        x=[html.escape(name) for name in columns],
        y=[html.escape(str(name)) for name in counts.index],
        z=100 * shares.to_numpy(),
        customdata=counts.to_numpy(),
        colorscale=[(0, "white"), (1, ACCENT)],
        zmin=0,
        zmax=100,
        xgap=1,
        ygap=1,
        colorbar={"ticksuffix": " %", "title_text": "of the label"},
        hovertemplate="<b>%{y}</b> said to be <b>%{x}</b>"
        "<br>%{customdata:,} photos, %{z:.1f} %<extra></extra>",
    )
    figure.update_xaxes(title_text="answer", tickangle=-60, dtick=1, showgrid=False)
    figure.update_yaxes(
        title_text="label", autorange="reversed", dtick=1, showgrid=False
    )
    return figure
