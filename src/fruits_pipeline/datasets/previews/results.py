"""Previews with a sentence, for datasets without content."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from kedro_datasets._typing import JSONPreview, PlotlyPreview, TablePreview

from fruits_pipeline.redaction import redact

Preview = TypeVar("Preview")


def preview_or_reason(
    build: Callable[[], Preview | None], show: Callable[[str], Preview], command: str
) -> Preview:
    """Return a preview, or one with the reason why there is none.

    Args:
        build: Returns the preview; None, or an error because of a missing file, if
            nothing is stored.
        show: Returns a preview with a sentence.
        command: Command that writes the dataset.
    """
    try:
        found = build()
    except Exception as exc:  # damaged files raise almost any exception
        if not _is_missing(exc):
            return show(redact(str(exc) or type(exc).__name__))
        found = None
    return (
        show(f"Nothing is stored yet; {command} writes it.") if found is None else found
    )


def _is_missing(error: BaseException | None) -> bool:
    """Return whether an error means, or was caused by, a missing file."""
    while error and not isinstance(error, FileNotFoundError):
        error = error.__cause__
    return error is not None


def text_table(text: str) -> TablePreview:
    """Return a table with one cell."""
    return TablePreview({"index": [0], "columns": ["No preview"], "data": [[text]]})


def text_json(text: str) -> JSONPreview:
    """Return JSON with one text."""
    return JSONPreview(json.dumps({"No preview": text}, ensure_ascii=False))


def text_figure(text: str) -> PlotlyPreview:
    """Return a figure that consists of text."""
    no_axis = {"visible": False}
    note = {"text": text, "showarrow": False, "xref": "paper", "yref": "paper"}
    note |= {"x": 0.5, "y": 0.5}
    layout = {"xaxis": no_axis, "yaxis": no_axis, "annotations": [note]}
    return PlotlyPreview({"data": [], "layout": layout})
