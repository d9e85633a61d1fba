"""Search all files below a root for traces of erased photos."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fruits_pipeline.io.files import resolve
from fruits_pipeline.io.search_terms import FILE_NAME
from fruits_pipeline.io.traces import BYTES, ID, PATH, Traces, read_chunks
from fruits_pipeline.spark.parquet import BATCH_ROWS, READ_ERRORS

logger = logging.getLogger(__name__)

CHUNK_BYTES = 2**25
MIN_OVERLAP = 2**16


@dataclass
class SearchResult:
    """Result of a search.

    Attributes:
        files: Number of files that were read completely.
        bytes: Sum of their sizes.
        excluded: Number of files that were not read, because they belong to the photos.
        findings: Kinds of traces, by path relative to the root.
        unreadable: Parquet files that are damaged, and were searched as bytes only.
    """

    files: int = 0
    bytes: int = 0
    excluded: int = 0
    findings: dict[str, list[str]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    @property
    def has_bytes(self) -> bool:
        """Whether photos, canonical photos or vectors were found."""
        return any(BYTES in kinds for kinds in self.findings.values())


def search(root: str, traces: Traces, excluded: str | None) -> SearchResult:
    """Search the content and names of all files below a root.

    Columns of Parquet files are decoded, because they are compressed. The file of what to
    search for is skipped.

    Args:
        root: Path or URL of a folder.
        traces: What to search for.
        excluded: Path relative to the root of files to skip; None for no files.
    """
    file_system, base = resolve(root)
    file_system.invalidate_cache()
    result = SearchResult()
    for path, info in sorted(file_system.find(base, detail=True).items()):
        name = path.removeprefix(base).lstrip("/")
        if excluded is not None and f"{name}/".startswith(f"{excluded}/"):
            result.excluded += 1
        elif info["type"] != "other" and name != FILE_NAME:  # no FIFO or socket
            result.files += 1
            result.bytes += info["size"]
            kinds = _search_file(file_system, path, name, traces, result)
            kinds |= traces.find_in_text(f"/{name}")
            if kinds:
                result.findings[name] = sorted(kinds)
    return result


def _search_file(
    file_system: Any, path: str, name: str, traces: Traces, result: SearchResult
) -> set[str]:
    with file_system.open(path) as file:
        if file.read(4) == b"PAR1":
            file.seek(0)
            try:
                return _search_parquet(pq.ParquetFile(file), traces)
            except READ_ERRORS:
                result.unreadable.append(name)
    found: set[str] = set()
    with file_system.open(path) as file:
        overlap = max(MIN_OVERLAP, *traces.values.lengths, 0)
        chunks = iter(lambda: file.read(CHUNK_BYTES), b"")
        for chunk in read_chunks(chunks, overlap):
            found |= traces.find_in_bytes(chunk)
    return found


def _search_parquet(file: pq.ParquetFile, traces: Traces) -> set[str]:
    found = set(_search_metadata(file.schema_arrow.metadata or {}, traces))
    for batch in file.iter_batches(BATCH_ROWS):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            found |= _search_column(name, column, traces)
    return found


def _search_metadata(metadata: dict[bytes, bytes], traces: Traces) -> Iterator[str]:
    for value in metadata.values():
        yield from traces.find_in_bytes(value)


def _search_column(name: str, column: pa.Array, traces: Traces) -> set[str]:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _search_texts(name, column, traces)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        values = column.drop_null().to_pylist()
        return {BYTES} if any(map(traces.is_bytes, values)) else set()
    if pa.types.is_list(kind) and pa.types.is_floating(kind.value_type):
        return _search_vectors(column, traces)
    if pa.types.is_nested(kind):
        text = json.dumps(column.to_pylist(), default=str, ensure_ascii=False)
        return traces.find_in_text(text)
    return set()


def _search_texts(name: str, column: pa.Array, traces: Traces) -> set[str]:
    """Search a column of strings. Paths and ids are compared with complete values."""
    values = pc.unique(column.drop_null()).to_pylist()
    found = {ID} if any(map(traces.is_id, values)) else set()
    if not traces.paths.isdisjoint(values):
        found.add(PATH)
    if name not in ("path", "photo_id"):
        found |= traces.find_in_text("\n".join(values))
    return found


def _search_vectors(column: pa.Array, traces: Traces) -> set[str]:
    """Search a column of lists of numbers, as float32."""
    width = 4
    for vector in column.drop_null():
        if len(vector) * width in traces.values.lengths:
            values = vector.values.to_numpy(zero_copy_only=False).astype(np.float32)
            if traces.is_bytes(values.tobytes()):
                return {BYTES}
    return set()
