"""Previews of Delta tables: rows of one data file, or its photos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pyarrow as pa
from kedro_datasets._typing import ImagePreview, TablePreview

from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.tables import open_log
from fruits_pipeline.datasets.previews.contact_sheet import (
    PHOTOS,
    Shown,
    canonical_sheet,
    photo_sheet,
    text_image,
    within_budget,
)
from fruits_pipeline.datasets.previews.results import preview_or_reason, text_table
from fruits_pipeline.datasets.previews.rows import ROWS, rows_preview, size_text, spread

_PHOTOS = {"photos": "content", "images": "image"}
"""Tables of photos, and their column of encoded photos."""

_DRAW = {"photos": photo_sheet, "images": canonical_sheet}

_COMMAND = "`kedro run`"


def table_preview(
    location: str, table: str
) -> Callable[[], ImagePreview] | Callable[[], TablePreview]:
    """Return the function that previews a table; its annotation states the kind.

    Args:
        location: Path or URL of the table.
        table: Name of the table, such as `photos`.
    """

    def photos() -> ImagePreview:
        build = partial(_draw_photos, location, table)
        return preview_or_reason(build, text_image, _COMMAND)

    def rows() -> TablePreview:
        build = partial(_list_rows, location)
        return preview_or_reason(build, text_table, _COMMAND)

    return photos if table in _PHOTOS else rows


def counts_preview(location: str) -> Callable[[], TablePreview]:
    """Return the function that previews the row counts of a table by batch."""

    def counts() -> TablePreview:
        build = partial(_list_batches, location)
        return preview_or_reason(build, text_table, _COMMAND)

    return counts


def _draw_photos(location: str, table: str) -> ImagePreview | None:
    found = _open_file(location, PHOTOS)
    if found is None:
        return None
    log, file = found
    column = _PHOTOS[table]
    names = [name for name in ("path", "label", "error") if name in log.columns]
    rows = log.read([file], [*names, column])
    rows = rows.filter(rows[column].is_valid())
    if "error" in names:
        rows = rows.filter(rows["error"].is_null())
    photos = [_shown(row, column) for row in _take(rows, PHOTOS)]
    if not photos:
        return text_image(
            "No photo of this table was read, or their content was removed."
        )
    return _DRAW[table](within_budget(photos, lambda photo: len(photo.content)))


def _shown(row: Mapping[str, Any], column: str) -> Shown:
    return Shown(row["label"] or row["path"].rpartition("/")[2], row[column])


def _list_rows(location: str) -> TablePreview | None:
    found = _open_file(location, ROWS)
    if found is None:
        return None
    log, file = found
    names = [name for name in log.columns if name != "batch"]
    rows = _take(log.read([file], names), ROWS)
    return rows_preview([row | {"batch": file.batch} for row in rows])


def _list_batches(location: str) -> TablePreview | None:
    log = open_log(location)
    if log is None or not log.batches:
        return None
    rows = [
        {
            "batch": name,
            "photos": sum(file.photos for file in files),
            "rejected": sum(file.errors for file in files),
            "size": size_text(sum(file.size_bytes for file in files)),
        }
        for name, files in log.batches.items()
    ]
    return rows_preview(rows)


def _open_file(location: str, rows: int) -> tuple[DeltaLog, DataFile] | None:
    """Return the log, and the smallest file with enough rows; None without rows."""
    log = open_log(location)
    files = [file for file in log.files if file.rows] if log else []
    if log is None or not files:
        return None
    files = [file for file in files if not file.without_content] or files
    full = [file for file in files if file.rows >= rows]
    if full:
        return log, min(full, key=lambda file: file.size_bytes)
    return log, max(files, key=lambda file: file.rows)


def _take(rows: pa.Table, wanted: int) -> list[dict[str, Any]]:
    """Return evenly spaced rows; lists stay arrays, which can have a million numbers."""
    taken = rows.take(spread(len(rows), wanted))
    columns = [[_value(scalar) for scalar in column] for column in taken.columns]
    return [
        dict(zip(taken.column_names, row, strict=True))
        for row in zip(*columns, strict=True)
    ]


def _value(scalar: pa.Scalar) -> Any:
    return scalar.values if isinstance(scalar, pa.ListScalar) else scalar.as_py()
