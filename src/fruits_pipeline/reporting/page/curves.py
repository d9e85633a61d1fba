"""Plotly figures of calibration and coverage; see `figures`."""

from __future__ import annotations

from typing import Any

import pandas as pd

Figure = dict[str, Any]


def calibration(curve: pd.DataFrame) -> Figure:
    """Draw the accuracy over the probability.

    Args:
        curve: Result of `metrics.calibration_curve`.
    """
    largest = max(1, int(curve["photos"].max()))
    sizes = [6 + 18 * (n / largest) ** 0.5 for n in curve["photos"]]
    diagonal = {
        "x": [0, 100],
        "y": [0, 100],
        "mode": "lines",
        "line": {"color": "@muted", "dash": "dot", "width": 1.5},
        "hoverinfo": "skip",
    }
    measured = {
        "x": (100 * curve["probability"]).round(2).tolist(),
        "y": (100 * curve["accuracy"]).round(2).tolist(),
        "customdata": curve["photos"].tolist(),
        "mode": "markers",
        "marker": {"color": "@accent", "size": sizes, "opacity": 1},
        "hovertemplate": "%{customdata:,} photos: probability %{x:.0f} %, "
        "correct %{y:.0f} %<extra></extra>",
    }
    return {
        "data": [diagonal, measured],
        "layout": {
            "height": 360,
            "showlegend": False,
            "xaxis": _axis("probability of the answer", [-3, 104]),
            "yaxis": _axis("correct", [-3, 106]),
        },
    }


def coverage(curve: pd.DataFrame, threshold: float) -> Figure:
    """Draw the shares of answered photos and of correct answers over the threshold.

    Args:
        curve: Result of `metrics.coverage_curve`.
        threshold: The threshold of the classifier.
    """
    x = (100 * curve["threshold"]).round(2).tolist()
    traces = [
        {
            "name": name,
            "x": x,
            "y": [None if pd.isna(y) else round(100 * y, 2) for y in curve[column]],
            "mode": "lines",
            "line": {"color": colour, "width": 2.5},
            "hovertemplate": f"{name}: %{{y:.1f}} %<extra></extra>",
        }
        for name, column, colour in (
            ("photos answered", "answered", "@bar"),
            ("answers correct", "accuracy", "@accent"),
        )
    ]
    line = {"color": "@muted", "dash": "dot", "width": 1.5}
    mark = {"type": "line", "x0": 100 * threshold, "x1": 100 * threshold}
    return {
        "data": traces,
        "layout": {
            "height": 360,
            "hovermode": "x unified",
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "xaxis": _axis("threshold of unknown", [-1, 101]),
            "yaxis": _axis("", [-3, 106]),
            "shapes": [mark | {"y0": 0, "y1": 1, "yref": "paper", "line": line}],
        },
    }


def _axis(title: str, ends: list[float]) -> dict[str, Any]:
    return {"title": {"text": title}, "range": ends, "ticksuffix": " %"}
