"""Colours, font and layout that all figures share."""

import html

import plotly.graph_objects as go

TEXT_COLOUR = "#262626"
GREY = "#767676"
LIGHT_GREY = "#b4b4b4"
PALE_GREY = "#e4e4e4"
ACCENT_COLOUR = "#c2410c"
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
    font = {"family": f"{FONT}, Verdana, sans-serif", "size": 12, "color": TEXT_COLOUR}
    axis = {"gridcolor": PALE_GREY, "zeroline": False, "linecolor": GREY}
    axis |= {"title_standoff": 14, "automargin": True}
    return go.Layout(
        template="none",
        height=height,
        title={"text": title, "font_size": 20, "x": 0, "xref": "paper"},
        font=font,
        margin={"l": 80, "r": 30, "t": 70, "b": 60},
        xaxis=axis,
        yaxis=axis,
        hoverlabel={"bgcolor": "white", "bordercolor": GREY, "font": font},
    )
