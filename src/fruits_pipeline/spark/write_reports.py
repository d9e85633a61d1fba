"""Key digests and counts of the rows of a data file."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from fruits_pipeline import schemas
from fruits_pipeline.io.request_counts import Requests
from fruits_pipeline.spark.keys import key_digest, photo_keys


def key_digests(table: pa.Table) -> str:
    """Return the digests of all keys, and of the keys of rows without an error."""
    if "keys" in table.column_names:  # moments: digest of the photos they describe
        keys = "".join(table["keys"].to_pylist()) or key_digest(())
        return f"{keys}-{keys}"
    if not {"path", "photo_id"} <= {*table.column_names}:
        return f"{key_digest(())}-{key_digest(())}"
    valid = table
    if "error" in table.column_names:
        valid = table.filter(table["error"].is_null())
    return f"{key_digest(photo_keys(table))}-{key_digest(photo_keys(valid))}"


def sum_column(table: pa.Table, column: str) -> int:
    """Return the sum of a column; 0 if there is none."""
    return pc.sum(table[column]).as_py() or 0 if column in table.column_names else 0


def has_no_content(rows: pa.Table | pa.RecordBatch) -> pa.Array:
    """Return for each row whether its content was removed: null, and without an error."""
    names = rows.schema.names
    column = next((name for name in schemas.CONTENT.values() if name in names), None)
    if column is None or "error" not in names:
        return pa.array([False] * len(rows))
    return pc.and_(rows[column].is_null(), rows["error"].is_null())


def count_without_content(rows: pa.Table | pa.RecordBatch) -> int:
    """Return the number of rows whose content was removed."""
    return pc.sum(has_no_content(rows)).as_py() or 0


def make_report(
    table: pa.Table, name: str, size: int, retries: int, requests: Requests
) -> pa.RecordBatch:
    """Return the `WRITE_REPORT` row of a file of `size` bytes.

    Args:
        table: Content of the file.
        name: Name of the file.
        size: Size of the file in bytes.
        retries: Number of repeated requests for its photos.
        requests: Requests to S3 of the task.
    """
    columns = table.column_names
    errors = len(table) - table["error"].null_count if "error" in columns else 0
    # A row of moments describes `n` photos.
    photos = sum_column(table, "n") if "n" in columns else len(table)
    paths = pc.min_max(table["path"]) if "path" in columns else {}
    row = {
        "file": name,
        "size_bytes": size,
        "rows": len(table),
        "errors": errors,
        "photos": photos,
        "first_path": paths["min"].as_py() if paths else None,
        "last_path": paths["max"].as_py() if paths else None,
        "retries": retries,
        "without_content": count_without_content(table),
        **requests._asdict(),
    }
    return pa.RecordBatch.from_pylist([row], schemas.WRITE_REPORT)
