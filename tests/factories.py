"""Small photos and tables for tests."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable
from PIL import Image
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from fruits_pipeline import schemas

PROJECT = Path(__file__).parents[1]
BACKBONE = PROJECT / "data/06_models/backbone"

TABLES = {
    "photos": "02_intermediate/photos",
    "images": "03_primary/images",
    "features": "04_feature/features",
    "moments": "05_model_input/moments",
    "reduced": "07_model_output/reduced",
}


def jpeg(seed: int, size: tuple[int, int] = (48, 40)) -> bytes:
    """Return a photo of coloured spots; another seed gives other spots."""
    spots = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    photo = Image.fromarray(spots).resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def truncated(seed: int) -> bytes:
    """Return the first two thirds of a photo."""
    whole = jpeg(seed)
    return whole[: len(whole) * 2 // 3]


def write_files(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files by their path below a folder."""
    root.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return root


def replace_file(file: Path, content: bytes) -> None:
    """Write a file again, a minute later."""
    later = file.stat().st_mtime + 60
    file.write_bytes(content)
    os.utime(file, (later, later))


def key_of(path: str) -> dict[str, Any]:
    """Return the key columns of a photo `split/label/name`."""
    split, label, _ = path.split("/")
    return {
        "path": path,
        "photo_id": f"id of {path}",
        "label": label,
        "split": split,
        "series": None,
    }


def table_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return rows as Arrow's, columns that they leave out being null."""
    full = [{name: row.get(name) for name in schema.names} for row in rows]
    return pa.Table.from_pylist(full, schema)


def frame(
    rows: Sequence[Mapping[str, Any]], schema: pa.Schema, batch: str | None = None
) -> DataFrame:
    """Return rows as a Spark DataFrame, columns that they leave out being null.

    Args:
        rows: The rows; each may have a `batch` of its own.
        schema: Schema of the rows.
        batch: Name of the batch of all rows, for a table as `@spark` loads it.
    """
    if batch or any("batch" in row for row in rows):
        schema = pa.schema([*schema, schemas.BATCH])
        rows = [{"batch": batch, **row} for row in rows]
    return SparkSession.builder.getOrCreate().createDataFrame(table_of(rows, schema))


def columns_of(rows: DataFrame) -> dict[str, str]:
    """Return the names and types of columns, but for `batch`."""
    types = {field.name: field.dataType.simpleString() for field in rows.schema}
    types.pop("batch", None)
    return types


def types_of(schema: pa.Schema) -> dict[str, str]:
    """Return the names and Spark types of columns."""
    return {f.name: f.dataType.simpleString() for f in from_arrow_schema(schema)}


def by_path(rows: DataFrame | pa.Table) -> dict[str, dict[str, Any]]:
    """Return rows by their path; a path that is there twice is an error."""
    found = (rows if isinstance(rows, pa.Table) else rows.toArrow()).to_pylist()
    table = {row["path"]: row for row in found}
    assert len(table) == len(found), "a path is there twice"
    return table


def stored(root: Path, table: str) -> pa.Table:
    """Read a table of a run as anybody would, with deltalake alone."""
    return DeltaTable(str(root / TABLES[table])).to_pyarrow_table()


def fingerprints(folder: Path) -> dict[str, tuple[int, int]]:
    """Return inode and time of every file below a folder."""
    files: Iterable[Path] = (f for f in folder.rglob("*") if f.is_file())
    return {
        str(f.relative_to(folder)): (f.stat().st_ino, f.stat().st_mtime_ns)
        for f in files
    }
