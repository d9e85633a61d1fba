"""Interactive figures of the report: explained variance and the map of photos."""

import html
from collections.abc import Mapping
from colorsys import hls_to_rgb

import numpy as np
import pandas as pd
import plotly.graph_objects as go

INK = "#262626"
MUTED = "#767676"
FADED = "#b4b4b4"
FAINT = "#e4e4e4"
ACCENT = "#c2410c"
# Ships with matplotlib; Verdana is its relative where browsers do not have it.
FONT = "DejaVu Sans"

_NAME_LENGTH = 26
_HUES = 12
# Lightness and saturation of three rings of hues that stay legible on white.
_RINGS = ((0.36, 0.85), (0.50, 0.60), (0.66, 0.70))
_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x")


def variance_curve(
    ratios: np.ndarray, components: int, marks: Mapping[float, int]
) -> go.Figure:
    """Draw how much of the variance the first components explain together.

    Marks are labelled in the right margin at the height of their share, so that
    they stay apart however steep the curve is.

    Args:
        ratios: Share of the variance that each component explains, largest first,
            shape (n,), each between 0 and 1.
        components: Number of components kept, 1 to n; emphasised.
        marks: Share of the variance (0 to 1) to the smallest number of components
            that reaches it. Shares that are never reached are left out.

    Returns:
        The figure: components across, percent of the variance upwards.

    Raises:
        ValueError: If `components` or a mark lies outside 1 to n.
    """
    count = len(ratios)
    for k in (components, *marks.values()):
        if not 1 <= k <= count:
            raise ValueError(f"{k} components: expected 1 to {count}, one per ratio")
    percent = 100 * np.cumsum(ratios, dtype=np.float64)
    figure = go.Figure(layout=layout(_variance_title(percent, components), 560))
    for share, k in sorted(marks.items()):
        _add_guide(figure, 100 * share, k, count, k == components)
    _add_curve(figure, percent, sorted(set(marks.values()) - {components}))
    _add_choice(figure, percent, components)
    figure.update_layout(showlegend=False, hovermode="x", margin_r=120)
    figure.update_layout(xaxis_showgrid=False, yaxis_ticksuffix=" %")
    figure.update_xaxes(title_text="components", range=[0, count], tickformat=",")
    return figure.update_yaxes(title_text="explained variance", range=[0, 102])


def photo_map(points: pd.DataFrame, shares: tuple[float, float]) -> go.Figure:
    """Draw every photo at its first two principal components, coloured by label.

    Both axes have one scale, so that distances on the map can be compared. Colours
    repeat after 36 labels, each time with another symbol.

    Args:
        points: One row per photo: `path`, `label` (None if it has none), `split`
            (may be None), `x` and `y`.
        shares: Share of the variance (0 to 1) that `x` and `y` explain.

    Returns:
        The figure, one WebGL trace per label.
    """
    title = f"{counted(len(points), 'photo')} on the first two components, "
    title += f"{100 * sum(shares):.1f} % of the variance"
    figure = go.Figure(layout=layout(title, 840))
    unlabelled = points[points["label"].isna()]
    if len(unlabelled):  # drawn first, below the colours, but last in the legend
        grey = _cloud("no label", unlabelled, marker_color=FADED, legendrank=2000)
        figure.add_trace(grey)
    by_label = points.dropna(subset=["label"]).groupby("label", sort=True)
    for i, (label, photos) in enumerate(by_label):
        figure.add_trace(_cloud(str(label), photos, **_style(i)))
    hint = f"<b>{counted(len(by_label), 'label')}</b><br>double click: one alone"
    legend = {"itemsizing": "constant", "font_size": 11, "title_text": hint}
    figure.update_layout(legend=legend, showlegend=True, yaxis_scaleanchor="x")
    figure.update_xaxes(title_text=f"PC 1 ({100 * shares[0]:.1f} %)")
    return figure.update_yaxes(title_text=f"PC 2 ({100 * shares[1]:.1f} %)")


def counted(number: int, noun: str) -> str:
    """Write a number with its noun, as in `1 photo` and `1,280 photos`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _variance_title(percent: np.ndarray, components: int) -> str:
    # Cut, not rounded: 99.97 % must not read as all of it.
    share = np.floor(10 * percent[components - 1] + 1e-6) / 10
    total = counted(len(percent), "component")
    return f"{share:g} % of the variance in {components:,} of {total}"


def layout(title: str, height: int) -> go.Layout:
    """Return what all figures share; the height is in pixels."""
    font = {"family": f"{FONT}, Verdana, sans-serif", "size": 12, "color": INK}
    axis = {"gridcolor": FAINT, "zeroline": False, "linecolor": MUTED}
    axis |= {"title_standoff": 14, "automargin": True}
    return go.Layout(
        template="none",
        height=height,
        title={"text": title, "font_size": 20, "x": 0, "xref": "paper"},
        font=font,
        margin={"l": 80, "r": 30, "t": 70, "b": 60},
        xaxis=axis,
        yaxis=axis,
        hoverlabel={"bgcolor": "white", "bordercolor": MUTED, "font": font},
    )


def _add_guide(figure: go.Figure, y: float, k: int, count: int, chosen: bool) -> None:
    line = {"color": ACCENT if chosen else FADED, "width": 1}
    figure.add_shape(x0=k, x1=count, y0=y, y1=y, line=line, layer="between")
    text = f"&nbsp;{y:g} % in {k:,}"
    figure.add_annotation(
        text=f"<b>{text}</b>" if chosen else text,
        font_color=ACCENT if chosen else INK,
        x=1,
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
        line={"color": INK, "width": 2.5},
        hovertemplate="%{y:.2f} % in %{x:,}<extra></extra>",
    )
    figure.add_scatter(
        x=marked,
        y=[percent[k - 1] for k in marked],
        mode="markers",
        marker={"color": "white", "size": 8, "line": {"color": INK, "width": 2}},
        hoverinfo="skip",
        cliponaxis=False,
    )


def _add_choice(figure: go.Figure, percent: np.ndarray, components: int) -> None:
    figure.add_scatter(
        x=[components, components],
        y=[0, percent[components - 1]],
        mode="lines+markers",
        line={"color": ACCENT, "width": 2},
        marker={"size": [0, 12], "opacity": 1},
        hoverinfo="skip",
        cliponaxis=False,
    )
    figure.add_annotation(
        text=f"<b>&nbsp;{components:,} kept&nbsp;</b>",
        font={"color": ACCENT, "size": 14},
        x=components,
        xanchor="right" if components > len(percent) / 2 else "left",
        y=4,
        showarrow=False,
    )


def _style(number: int) -> dict[str, str]:
    """Return one of 216 pairs of colour and symbol, neighbours far apart in hue."""
    lap, i = divmod(number, _HUES * len(_RINGS))
    ring = (i + i // _HUES) % len(_RINGS)
    hue = (7 * i % _HUES + ring / len(_RINGS)) / _HUES
    # Not as hsl(...): WebGL traces show every hue above 255 degrees as blue.
    rgb = tuple(round(255 * part) for part in hls_to_rgb(hue, *_RINGS[ring]))
    return {"marker_color": f"rgb{rgb}", "marker_symbol": _SYMBOLS[lap % len(_SYMBOLS)]}


def _cloud(label: str, photos: pd.DataFrame, **style: str | int) -> go.Scattergl:
    name = label if len(label) <= _NAME_LENGTH else label[: _NAME_LENGTH - 1] + "…"
    split = ("<br>" + photos["split"].map(html.escape, na_action="ignore")).fillna("")
    return go.Scattergl(
        x=photos["x"],
        y=photos["y"],
        mode="markers",
        marker_size=5,
        marker_opacity=0.75,
        name=html.escape(name),
        meta=html.escape(label),
        text=photos["path"].map(html.escape) + split,
        hovertemplate="<b>%{meta}</b><br>%{text}<extra></extra>",
        **style,
    )
