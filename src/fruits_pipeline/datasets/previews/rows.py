"""Previews of rows and objects as tables."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
from kedro_datasets._typing import JSONPreview, TablePreview

from fruits_pipeline.datasets.previews.results import text_table

ROWS = 20
"""Maximum number of rows of a table."""

_NUMBERS = 3  # of a vector
_TEXT = 90  # characters
_ID = 64  # digits of a SHA-256
_KILO = 1000


def spread(count: int, wanted: int) -> list[int]:
    """Return up to `wanted` positions of `count`, evenly spaced from the first one."""
    number = min(count, wanted)
    return [i * count // number for i in range(number)]


def rows_preview(rows: Sequence[Mapping[str, Any]]) -> TablePreview:
    """Return rows as a table of short texts, without line breaks.

    Args:
        rows: Rows with the same columns.
    """
    if not rows:
        return text_table("The table has no rows.")
    columns = sorted(rows[0], key=lambda name: name == "photo_id")  # moved to the end
    data = [[cell_text(row[name]) for name in columns] for row in rows]
    return TablePreview(
        {"index": [*range(len(data))], "columns": columns, "data": data}
    )


def frame_preview(frame: pd.DataFrame) -> TablePreview:
    """Return a pandas DataFrame as `rows_preview`."""
    return rows_preview(pa.Table.from_pandas(frame, preserve_index=False).to_pylist())


def object_preview(content: Mapping[str, Any]) -> TablePreview:
    """Return an object as a table of names and values."""
    data = [[name, cell_text(value)] for name, value in _leaves(content)]
    index = [*range(len(data))]
    return TablePreview({"index": index, "columns": ["name", "value"], "data": data})


def json_preview(content: Mapping[str, Any]) -> JSONPreview:
    """Return an object as JSON."""
    return JSONPreview(json.dumps(content, ensure_ascii=False, default=str))


def cell_text(value: Any) -> str:
    """Return a value as a short text in one line.

    Bytes become their size, vectors their first numbers, and times minutes.
    """
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case bytes():
            text = size_text(len(value))
        case datetime():
            text = value.strftime("%Y-%m-%d %H:%M")
        case int():
            text = f"{value:,}"
        case float():
            text = "" if math.isnan(value) else f"{value:.4g}"
        case Mapping():
            text = ", ".join(f"{k} {cell_text(v)}" for k, v in value.items())
        case pa.Array():
            text = _list_text(value[:_NUMBERS].to_pylist(), len(value))
        case list() | tuple():
            text = _list_text(value[:_NUMBERS], len(value))
        case _:
            text = _short(str(value))
    return text


def size_text(size: int) -> str:
    """Return a size in bytes, such as `9.4 kB`."""
    number, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < _KILO:
            break
        number, unit = number / _KILO, larger
    return f"{number:.3g} {unit}"


def _list_text(first: Sequence[Any], count: int) -> str:
    text = ", ".join(map(cell_text, first))
    if count > len(first):
        text += f", … ({count:,} values)"
    # Kedro-Viz breaks lines after spaces, so that a vector would take five lines.
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _short(text: str) -> str:
    if len(text) == _ID and not set(text) - set("0123456789abcdef"):
        return f"{text[:8]}…"
    text = " ".join(text.split())
    half = _TEXT // 2
    return text if len(text) <= _TEXT else f"{text[:half]} … {text[-half:]}"


def _leaves(content: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield names and values; an object below the second level is one value."""
    for name, value in content.items():
        shown = name.replace("_", " ") if depth == 0 else name
        match value:
            case Mapping() if value and depth == 0:
                for inner, leaf in _leaves(value, depth + 1):
                    yield f"{shown}: {inner}", leaf
            case list() if value and depth == 0:
                yield from _numbered(shown, value)
            case Mapping() | list() if not value:
                yield shown, "none"
            case _:
                yield shown, value


def _numbered(name: str, values: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for number, value in enumerate(values, 1):
        yield f"{name} {number}", value
