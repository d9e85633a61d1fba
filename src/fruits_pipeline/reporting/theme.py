"""Colours, font and layout that all figures share."""

import plotly.graph_objects as go

TEXT_COLOUR = "#262626"
GREY = "#767676"
LIGHT_GREY = "#b4b4b4"
PALE_GREY = "#e4e4e4"
ACCENT_COLOUR = "#c2410c"
# Part of matplotlib. Browsers without it use Verdana, which looks similar.
FONT = "DejaVu Sans"


def count_text(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 photo` and `1,280 photos`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


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
