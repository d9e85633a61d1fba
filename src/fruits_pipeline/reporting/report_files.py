"""Find damaged report files."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

READ_ERRORS = (ValueError, OSError, SyntaxError, pa.ArrowException)
"""Errors of the readers for damaged files; Pillow raises a `SyntaxError` for PNG."""


def report_problem(name: str, content: bytes) -> str | None:
    """Return why a report cannot be read; None if it can, or if its type is unknown.

    Args:
        name: Name of the file.
        content: Content of the file.
    """
    if not content:
        return "an empty file"
    try:
        _read(name.rpartition(".")[2], content)
    except READ_ERRORS as exc:
        return f"unreadable: {' '.join(str(exc).split())}"
    return None


def _read(kind: str, content: bytes) -> None:
    match kind:
        case "json":
            json.loads(content)
        case "jsonl":
            for line in content.decode().splitlines():
                json.loads(line)
        case "csv":
            if "\0" in content.decode():
                raise ValueError("a zero byte in text")
        case "png":
            with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
                image.verify()
        case "parquet":
            source = pa.BufferReader(content)
            pq.ParquetFile(source, page_checksum_verification=True).read()
