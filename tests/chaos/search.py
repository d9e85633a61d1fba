"""Search files for erased photos, without code of this project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from factories import TABLES

COLUMNS = {
    "photos": "content",
    "images": "image",
    "features": "features",
    "reduced": "components",
}

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows of the tables by name."""


@dataclass(frozen=True)
class Erased:
    """What must not exist after an erasure.

    Attributes:
        texts: Paths and ids, also as they are written in JSON and URLs.
        values: Photos, canonical photos, and vectors in float32.
    """

    texts: frozenset[str]
    values: frozenset[bytes]


def read_tables(root: Path) -> Tables:
    """Return the rows of all tables with one row per photo."""
    return {
        name: DeltaTable(str(root / TABLES[name])).to_pyarrow_table().to_pylist()
        for name in COLUMNS
    }


def erased_photos(tables: Tables, paths: set[str], ids: set[str]) -> Erased:
    """Return everything in the tables about some photos."""
    values: set[bytes] = set()
    for name, column in COLUMNS.items():
        for row in tables[name]:
            if row["path"] in paths and row[column] is not None:
                values.add(_to_bytes(row[column]))
    texts = {text for path in paths for text in _spellings(path)} | ids
    texts |= {photo_id.upper() for photo_id in ids}
    return Erased(frozenset(texts), frozenset(values))


def find_traces(root: Path, erased: Erased) -> Iterator[str]:
    """Yield the files below a folder, with what was found in them."""
    digests = {hashlib.sha256(value).digest() for value in erased.values}
    for file in sorted(root.rglob("*")):
        name, content = str(file.relative_to(root)), b""
        if file.is_file():
            content = file.read_bytes()
        decoded = "\n".join(_decode_parquet(content, digests))
        text = f"{name}\n{content.decode(errors='replace')}\n{decoded}"
        if "<erased value>" in decoded or any(v in content for v in erased.values):
            yield f"{name}: bytes"
        yield from (f"{name}: {found}" for found in erased.texts if found in text)


def _decode_parquet(content: bytes, digests: set[bytes]) -> Iterator[str]:
    """Yield all values of a Parquet file as text, and its statistics."""
    if not content.startswith(b"PAR1"):
        return
    file = pq.ParquetFile(pa.BufferReader(content))
    yield str(file.metadata.to_dict())
    for row in file.read().to_pylist():
        for value in row.values():
            is_value = isinstance(value, bytes | list) and _is_erased(value, digests)
            yield "<erased value>" if is_value else str(value)


def _is_erased(value: bytes | list[Any], digests: set[bytes]) -> bool:
    if isinstance(value, list) and not all(isinstance(v, float) for v in value):
        return False
    return hashlib.sha256(_to_bytes(value)).digest() in digests


def _to_bytes(value: bytes | list[float]) -> bytes:
    return value if isinstance(value, bytes) else np.array(value, np.float32).tobytes()


def _spellings(path: str) -> Iterator[str]:
    yield path
    for as_ascii in (True, False):
        escaped = json.dumps(path, ensure_ascii=as_ascii)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\u002f")
        yield json.dumps(escaped)[1:-1]
    yield quote(path)
    yield quote(path, safe="")
