"""Plotly figures of calibration, coverage and confusion; see `figures`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from fruits_pipeline.reporting.page.figures import Figure
from fruits_pipeline.reporting.theme import plotly_text, short_name


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


def confusion(counts: np.ndarray, labels: Sequence[str]) -> Figure:
    """Draw a confusion matrix with numbers.

    Args:
        counts: Photos of each label (rows) by most probable label (columns).
        labels: Labels of the rows; the columns are these and `others`.
    """
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    names = [plotly_text(short_name(label)) for label in labels]
    columns = [*names, "others"][: counts.shape[1]]
    full = [plotly_text(label) for label in labels]
    hover = [
        [
            f"<b>{row}</b> taken for <b>{column}</b>"
            for column in [*full, "other labels"][: counts.shape[1]]
        ]
        for row in full
    ]
    shown = [[f"{n:,}" if n else "" for n in row] for row in counts.tolist()]
    return {
        "data": [
            {
                "type": "heatmap",
                "z": np.round(100 * shares, 1).tolist(),
                "x": [*range(len(columns))],
                "y": [*range(len(names))],
                "text": shown,
                "texttemplate": "%{text}",
                "textfont": {"size": 11},
                "hovertext": hover,
                "hovertemplate": "%{hovertext}: %{text} photos, "
                "%{z:.1f} % of the label<extra></extra>",
                "colorscale": [[0, "@card"], [1, "@accent"]],
                "zmin": 0,
                "zmax": 100,
                "xgap": 2,
                "ygap": 2,
                "showscale": False,
            }
        ],
        "layout": {
            "height": 110 + 24 * len(names) + 7 * max(map(len, names), default=0),
            "xaxis": {"title": {"text": "most probable label"}, "tickangle": -50}
            | _ticks(columns),
            "yaxis": {"title": {"text": "label"}, "autorange": "reversed"}
            | _ticks(names),
        },
    }


def _ticks(names: Sequence[str]) -> dict[str, Any]:
    ticks = {"tickvals": [*range(len(names))], "ticktext": [*names]}
    return ticks | {"showgrid": False, "zeroline": False, "fixedrange": True}
