"""Colours, font and layout that all figures share."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

TEXT_COLOUR = "#262626"
GREY = "#767676"
LIGHT_GREY = "#b4b4b4"
PALE_GREY = "#e4e4e4"
ACCENT_COLOUR = "#c2410c"
# Of interactive figures, whose background is transparent: contrast of 4:1 or more to
# white and to black. Kedro-Viz replaces the colour of text, axes and background.
FIGURE_TEXT = "#7a7a7a"
FIGURE_LINE = "#2f86d0"
FIGURE_ACCENT = "#d9590f"
FIGURE_GRID = "rgba(128, 128, 128, 0.3)"
# Part of matplotlib. Browsers without it use Verdana, which looks similar.
FONT = "DejaVu Sans"
NO_LABEL = "no label"

_MAX_NAME_LENGTH = 26


def count_text(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 photo` and `1,280 photos`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def short_name(label: str) -> str:
    """Return a label, shortened to 26 characters for legends and axes."""
    return (
        label if len(label) <= _MAX_NAME_LENGTH else label[: _MAX_NAME_LENGTH - 1] + "…"
    )


def plotly_text(text: str) -> str:
    """Escape text for Plotly, which interprets HTML, and LaTeX between dollar signs."""
    return html.escape(text, quote=False).replace("$", "&#36;")


def plotly_layout(title: str, height: int) -> go.Layout:
    """Return the layout of a Plotly figure; `height` is in pixels."""
    # Imported here because it is slow to import, and others need only the colours.
    import plotly.graph_objects as go

    font = {"family": f"{FONT}, Verdana, sans-serif", "size": 12, "color": FIGURE_TEXT}
    axis = {"gridcolor": FIGURE_GRID, "zeroline": False, "linecolor": GREY}
    axis |= {"title_standoff": 14, "automargin": True}
    return go.Layout(
        template="none",
        height=height,
        title={"text": title, "font_size": 20, "x": 0, "xref": "paper"},
        font=font,
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        margin={"l": 80, "r": 30, "t": 70, "b": 60},
        xaxis=axis,
        yaxis=axis,
        hoverlabel={
            "bgcolor": "white",
            "bordercolor": GREY,
            "font": font | {"color": TEXT_COLOUR},
        },
    )
