"""Plotly figures as dictionaries. Colours such as `@accent` depend on the theme.

`templates/page.js` replaces them by the colours in `templates/page.css`.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fruits_pipeline.reporting.palette import NO_LABEL_COLOUR, label_colours
from fruits_pipeline.reporting.theme import short_name

Figure = dict[str, Any]

_NO_LABEL_RANK = 2000  # of photos without a label in the legend of the map
_SHOWN = 99.5  # per cent of the variance, where the curve ends

MAX_POINTS = 5000
"""Points that a browser draws smoothly."""


def numbers(values: Any) -> list[float]:
    """Return the numbers of a Plotly array, which can be encoded in base64."""
    if isinstance(values, Mapping):
        content = base64.b64decode(values["bdata"])
        return [float(x) for x in np.frombuffer(content, np.dtype(values["dtype"]))]
    return [*values]


def _axis(title: str, **options: Any) -> dict[str, Any]:
    return {"title": {"text": title}, **options}


def variance(curve: Mapping[str, Any], kept: int) -> Figure:
    """Draw the cumulative explained variance, from the figure `variance_curve`."""
    line = next(t for t in curve["data"] if t.get("mode") == "lines")
    shares = [round(share, 3) for share in numbers(line["y"])]
    kept = min(kept, len(shares))
    shown = next((i for i, share in enumerate(shares, 1) if share >= _SHOWN), 0)
    last = max(kept * 5 // 4, shown, 2)
    guide = {"type": "line", "line": {"color": "@accent", "width": 1, "dash": "dot"}}
    return {
        "data": [
            {
                "x": [*range(1, len(shares) + 1)],
                "y": shares,
                "mode": "lines",
                "line": {"color": "@text", "width": 2.5},
                "hovertemplate": "%{x:,} components keep %{y:.1f} %<extra></extra>",
            },
            {
                "x": [kept],
                "y": [shares[kept - 1]],
                "mode": "markers",
                "marker": {"color": "@accent", "size": 12},
                "hovertemplate": "%{x:,} components are kept: %{y:.1f} %<extra></extra>",
            },
        ],
        "layout": {
            "height": 340,
            "showlegend": False,
            "xaxis": _axis("number of components", range=[0, last]),
            "yaxis": _axis("variance kept", range=[0, 103], ticksuffix=" %"),
            "shapes": [
                guide | {"x0": kept, "x1": kept, "y0": 0, "y1": shares[kept - 1]},
                guide
                | {"x0": 0, "x1": kept, "y0": shares[kept - 1], "y1": shares[kept - 1]},
            ],
        },
    }


_Point = tuple[float, float, str, str | None, int]
"""Coordinates, path, label, and position in the picture of the atlas or -1."""


def _points(figure: Mapping[str, Any], cells: Mapping[str, int]) -> list[_Point]:
    """Return the points of a map; those with a picture last, to be drawn on top."""
    points: list[_Point] = []
    for trace in figure["data"]:
        unlabelled = trace.get("legendrank") == _NO_LABEL_RANK
        label = None if unlabelled else html.unescape(trace["meta"])
        paths = (html.unescape(text.partition("<br>")[0]) for text in trace["text"])
        rows = zip(numbers(trace["x"]), numbers(trace["y"]), paths, strict=True)
        points += [(x, y, path, label, cells.get(path, -1)) for x, y, path in rows]
    return sorted(points, key=lambda point: (point[4] >= 0, point[2]))[-MAX_POINTS:]


def photo_map(figure: Mapping[str, Any], cells: Mapping[str, int]) -> Figure:
    """Draw photos by their first two components, from the figure `photo_map`.

    Args:
        figure: The stored figure.
        cells: Position of each photo in the picture of the atlas, by path.
    """
    points = _points(figure, cells)
    colours = label_colours(point[3] for point in points if point[3] is not None)
    has_picture = [point[4] >= 0 or not cells for point in points]
    data = {
        "x": [round(point[0], 3) for point in points],
        "y": [round(point[1], 3) for point in points],
        "customdata": [
            [path, "no label" if label is None else short_name(label), cell]
            for _, _, path, label, cell in points
        ],
        "mode": "markers",
        "marker": {
            "color": [
                NO_LABEL_COLOUR if label is None else colours[label]
                for _, _, _, label, _ in points
            ],
            "size": [8 if picture else 4 for picture in has_picture],
            "opacity": [0.9 if picture else 0.35 for picture in has_picture],
            "line": {"width": 0},
        },
        "hoverinfo": "none",
    }
    return {
        "data": [data],
        "layout": {
            "height": 620,
            "dragmode": "pan",
            "xaxis": _axis("first component", zeroline=False),
            "yaxis": _axis("second component", zeroline=False),
        },
    }


def histogram(
    measure: Mapping[str, Any], limits: Sequence[float], title: str
) -> Figure:
    """Draw the histogram of a measure, with its limits as lines."""
    edges = np.array(measure["edges"], float)
    middle, width = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    line = {"color": "@accent", "width": 2, "dash": "dot"}
    return {
        "data": [
            {
                "type": "bar",
                "x": middle.tolist(),
                "y": [*measure["counts"]],
                "width": (0.92 * width).tolist(),
                "marker": {"color": "@bar"},
                "hovertemplate": "%{y:,} photos at %{x:.3~f}<extra></extra>",
            }
        ],
        "layout": {
            "height": 200,
            "title": {"text": title, "x": 0.02, "font": {"size": 14}},
            "margin": {"l": 44, "r": 8, "t": 34, "b": 28},
            "xaxis": {"range": [edges[0], edges[-1]], "fixedrange": True},
            "yaxis": {"fixedrange": True, "nticks": 4},
            "shapes": [
                {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper"}
                | {"line": line}
                for x in limits
            ],
        },
    }
