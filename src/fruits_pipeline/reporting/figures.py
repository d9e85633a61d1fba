"""Interactive figures: explained variance of the PCA, and a map of the photos."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fruits_pipeline.models.classifiers import distinct_text
from fruits_pipeline.reporting.markers import marker_style
from fruits_pipeline.reporting.theme import (
    FIGURE_ACCENT,
    FIGURE_GRID,
    FIGURE_LINE,
    LIGHT_GREY,
    NO_LABEL,
    count_text,
    plotly_layout,
    plotly_text,
    short_name,
)

_PLOT_WIDTH = 0.84  # of the figure; the rest is for labels


def variance_curve(
    ratios: np.ndarray, components: int, marks: Mapping[float, int]
) -> go.Figure:
    """Plot the cumulative explained variance over the number of components.

    Marks are labelled to the right of the plot, at the height of their share, so that
    labels do not overlap if the curve is steep. Labels are not in the margin, because
    Kedro-Viz sets its width.

    Args:
        ratios: Share of the variance that each component explains, in descending order,
            shape (n,), each between 0 and 1.
        components: Number of components kept, 1 to n; highlighted.
        marks: Shares of the variance to mark (0 to 1), each with the smallest number of
            components that reaches it.

    Raises:
        ValueError: If `components` or a mark is outside 1 to n.
    """
    count = len(ratios)
    for k in (components, *marks.values()):
        if not 1 <= k <= count:
            raise ValueError(f"{k} components: expected 1 to {count}, one per ratio")
    percent = 100 * np.cumsum(ratios, dtype=np.float64)
    figure = go.Figure(layout=plotly_layout(_variance_title(percent, components), 560))
    for share, k in sorted(marks.items()):
        _add_mark(figure, 100 * share, k, count, k == components)
    _add_curve(figure, percent, sorted(set(marks.values()) - {components}))
    _highlight(figure, percent, components)
    # Without the steep part, the labels of the marks have space in a small figure.
    lowest = max(0, 100 * min(marks, default=0) - 40)
    figure.update_layout(showlegend=False, hovermode="x")
    figure.update_layout(xaxis_showgrid=False, yaxis_ticksuffix=" %")
    figure.update_xaxes(
        title_text="number of components",
        range=[0, count],
        domain=[0, _PLOT_WIDTH],
        tickformat=",",
    )
    return figure.update_yaxes(
        title_text="cumulative explained variance", range=[lowest, 102]
    )


def photo_map(points: pd.DataFrame, shares: tuple[float, float]) -> go.Figure:
    """Plot photos by their first two principal components, coloured by label.

    Both axes have the same scale, so that distances are comparable. Colours repeat after
    36 labels, each time with another symbol.

    Args:
        points: One row per photo: `path`, `label` and `split` (None if unknown), `x`
            and `y`.
        shares: Shares of the variance (0 to 1) that `x` and `y` explain.

    Returns:
        The figure, with one WebGL trace per label.
    """
    title = (
        f"{count_text(len(points), 'photo')}, {100 * sum(shares):.1f} % of the variance"
    )
    figure = go.Figure(layout=plotly_layout(title, 840))
    unlabelled = points[points["label"].isna()]
    if len(unlabelled):  # drawn first, below the labels, but last in the legend
        grey = {"marker_color": LIGHT_GREY}
        name = distinct_text(NO_LABEL, points["label"].dropna())
        figure.add_trace(_scatter(name, unlabelled, grey, legendrank=2000))
    by_label = points.dropna(subset=["label"]).groupby("label", sort=True)
    for i, (label, photos) in enumerate(by_label):
        figure.add_trace(_scatter(str(label), photos, marker_style(i)))
    hint = f"<b>{count_text(len(by_label), 'label')}</b><br>double-click isolates one"
    legend = {"itemsizing": "constant", "font_size": 11, "title_text": hint}
    figure.update_layout(legend=legend, showlegend=True, yaxis_scaleanchor="x")
    figure.update_xaxes(title_text=f"PC 1 ({100 * shares[0]:.1f} %)")
    return figure.update_yaxes(title_text=f"PC 2 ({100 * shares[1]:.1f} %)")


def _variance_title(percent: np.ndarray, components: int) -> str:
    # Rounded down, so that 99.97 % is not shown as 100 %.
    share = np.floor(10 * percent[components - 1] + 1e-6) / 10
    total = count_text(len(percent), "component")
    return f"{share:g} % of the variance in {components:,} of {total}"


def _add_mark(figure: go.Figure, y: float, k: int, count: int, kept: bool) -> None:
    """Add a line from the curve at `k` of `count` components to a label in the margin."""
    line = {"color": FIGURE_ACCENT if kept else FIGURE_GRID, "width": 1}
    figure.add_shape(x0=k, x1=count, y0=y, y1=y, line=line, layer="between")
    text = f"&nbsp;{y:g} % in {k:,}"
    figure.add_annotation(
        text=f"<b>{text}</b>" if kept else text,
        font={"size": 11, "color": FIGURE_ACCENT if kept else None},
        x=_PLOT_WIDTH,
        xref="paper",
        xanchor="left",
        y=y,
        showarrow=False,
    )


def _add_curve(figure: go.Figure, percent: np.ndarray, marked: list[int]) -> None:
    figure.add_scatter(
        x=np.arange(1, len(percent) + 1),
        y=percent,
        mode="lines",
        line={"color": FIGURE_LINE, "width": 2.5},
        hovertemplate="%{y:.2f} % in %{x:,}<extra></extra>",
    )
    figure.add_scatter(
        x=marked,
        y=[percent[k - 1] for k in marked],
        mode="markers",
        marker={"color": FIGURE_LINE, "size": 8},
        hoverinfo="skip",
        cliponaxis=False,
    )


def _highlight(figure: go.Figure, percent: np.ndarray, components: int) -> None:
    """Add a vertical line at the number of components kept, with a label."""
    figure.add_scatter(
        x=[components, components],
        y=[-1, percent[components - 1]],
        mode="lines+markers",
        line={"color": FIGURE_ACCENT, "width": 2},
        marker={"size": [0, 12], "opacity": 1},
        hoverinfo="skip",
        cliponaxis=False,
    )
    figure.add_annotation(
        text=f"<b>&nbsp;{components:,} kept&nbsp;</b>",
        font={"color": FIGURE_ACCENT, "size": 14},
        x=components,
        xanchor="right" if components > len(percent) / 2 else "left",
        y=0.04,
        yref="paper",
        showarrow=False,
    )


def _scatter(
    label: str, photos: pd.DataFrame, style: Mapping[str, str], legendrank: int = 1000
) -> go.Scattergl:
    split = ("<br>" + photos["split"].map(plotly_text, na_action="ignore")).fillna("")
    return go.Scattergl(
        x=photos["x"],
        y=photos["y"],
        mode="markers",
        marker_size=5,
        marker_opacity=0.75,
        name=plotly_text(short_name(label)),
        legendrank=legendrank,
        meta=plotly_text(label),
        text=photos["path"].map(plotly_text) + split,
        hovertemplate="<b>%{meta}</b><br>%{text}<extra></extra>",
        **style,
    )
