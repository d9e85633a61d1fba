"""Create photos and tables, read tables, and run programs."""

import ctypes
import io
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml
from deltalake import DeltaTable
from PIL import Image
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from fruits_pipeline import schemas
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.parameters import ReportParameters

PROJECT = Path(__file__).parents[1]
BACKBONE = PROJECT / "data/06_models/backbone"

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)

TABLES = {
    "photos": "02_intermediate/photos",
    "images": "03_primary/images",
    "quality": "03_primary/quality",
    "features": "04_feature/features",
    "moments": "05_model_input/moments",
    "reduced": "07_model_output/reduced",
}
"""Paths of the tables below the root."""


def report_parameters(**changes: Any) -> ReportParameters:
    """Return the parameters of the stage report in `conf/base`, with changes."""
    text = (PROJECT / "conf/base/parameters_report.yml").read_text()
    return ReportParameters(**yaml.safe_load(text)["report"] | changes)


def jpeg(seed: int, size: tuple[int, int] = (48, 40)) -> bytes:
    """Return a photo of coloured spots, determined by the seed."""
    spots = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    photo = Image.fromarray(spots).resize(size, Image.Resampling.BICUBIC)
    return encode(photo, "JPEG", quality=85)


def encode(image: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    """Return an image as a file of a format, encoded with options of Pillow."""
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def truncated_jpeg(seed: int) -> bytes:
    """Return the first two thirds of the bytes of a photo."""
    content = jpeg(seed)
    return content[: len(content) * 2 // 3]


def write_files(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files, given by path below `root`, and return `root`."""
    root.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return root


def replace_file(file: Path, content: bytes) -> None:
    """Overwrite a file and set its modification time one minute later."""
    later = file.stat().st_mtime + 60
    file.write_bytes(content)
    os.utime(file, (later, later))


def key_of(path: str) -> dict[str, Any]:
    """Return the key columns of a photo with the path `split/label/name`."""
    split, label, _ = path.split("/")
    return {
        "path": path,
        "photo_id": f"id of {path}",
        "label": label,
        "split": split,
        "series": None,
    }


def arrow_table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return rows as an Arrow table. Missing columns are null."""
    return pa.Table.from_pylist(_complete(rows, schema), schema)


def record_batch(
    rows: Sequence[Mapping[str, Any]], schema: pa.Schema
) -> pa.RecordBatch:
    """Return rows as a record batch. Missing columns are null."""
    return pa.RecordBatch.from_pylist(_complete(rows, schema), schema)


def listing(root: Path | str, *paths: str, size: int | None = None) -> pa.RecordBatch:
    """Return `LISTING` rows of files of the same time.

    Args:
        root: Photo root.
        *paths: Paths of the files.
        size: Size of each file; None takes that of the local file, or 10 if there is none.
    """
    files = [Path(root, path) for path in paths]
    sizes = [file.stat().st_size if file.is_file() else 10 for file in files]
    rows = [
        {"root": str(root), "path": path, "size_bytes": size or found}
        for path, found in zip(paths, sizes, strict=True)
    ]
    return record_batch([{**row, "modified_at": NOON} for row in rows], schemas.LISTING)


def listed(*paths: str, size: int) -> list[ListedFile]:
    """Return the listing of files of the same size and time."""
    return [ListedFile(path, size, NOON) for path in paths]


def _complete(
    rows: Sequence[Mapping[str, Any]], schema: pa.Schema
) -> list[dict[str, Any]]:
    return [{name: row.get(name) for name in schema.names} for row in rows]


def frame(
    rows: Sequence[Mapping[str, Any]], schema: pa.Schema, batch: str | None = None
) -> DataFrame:
    """Return rows as a Spark DataFrame. Missing columns are null.

    Args:
        rows: Rows by column name. The column `batch` exists if a row sets it.
        schema: Schema without `batch`.
        batch: Name of the batch of all rows that do not set it.
    """
    if batch or any("batch" in row for row in rows):
        schema = pa.schema([*schema, schemas.BATCH])
        rows = [{"batch": batch, **row} for row in rows]
    return SparkSession.builder.getOrCreate().createDataFrame(arrow_table(rows, schema))


def column_types(rows: DataFrame) -> dict[str, str]:
    """Return the Spark types of the columns by name, without `batch`."""
    types = {field.name: field.dataType.simpleString() for field in rows.schema}
    types.pop("batch", None)
    return types


def spark_types(schema: pa.Schema) -> dict[str, str]:
    """Return the Spark types of the columns of an Arrow schema by name."""
    return {f.name: f.dataType.simpleString() for f in from_arrow_schema(schema)}


def by_path(rows: DataFrame | pa.Table) -> dict[str, dict[str, Any]]:
    """Return rows by path. Fail if two rows have the same path."""
    found = (rows if isinstance(rows, pa.Table) else rows.toArrow()).to_pylist()
    table = {row["path"]: row for row in found}
    assert len(table) == len(found), "two rows have the same path"
    return table


def read_table(root: Path, table: str) -> pa.Table:
    """Read a table with `deltalake` only, without code of this project."""
    return DeltaTable(str(root / TABLES[table])).to_pyarrow_table()


def run_python(*arguments: str | Path) -> str:
    """Run Python in the folder of the project, and return its output.

    Fail with all output if Python fails.
    """
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fingerprints(folder: Path) -> dict[str, tuple[int, int]]:
    """Return (inode, modification time in ns) of every file below a folder."""
    return {
        str(file.relative_to(folder)): (file.stat().st_ino, file.stat().st_mtime_ns)
        for file in folder.rglob("*")
        if file.is_file()
    }


def run_without_privileges(function: Callable[[], str]) -> str:
    """Return the result or error message of a function, called in a child process.

    The permissions of files apply to the child, even if it runs as root.
    """
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            version_3 = struct.pack("Ii", 0x20080522, 0)
            ctypes.CDLL(None).capset(version_3, bytes(24))  # no capabilities
            text = function()
        except Exception as exc:  # noqa: BLE001 - the parent checks the message
            text = str(exc)
        os.write(write, text.encode()[:60_000])
        os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(child, 0)
    return text
