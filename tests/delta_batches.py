"""Batches of tiny photos, for tests of Delta tables."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from factories import arrow_table, key_of, record_batch
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaBatches
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.tables import open_existing_log
from fruits_pipeline.spark.batches import Batches
from fruits_pipeline.spark.frames import from_tables
from fruits_pipeline.spark.parts import Rows


def photo_row(photo_id: str) -> dict[str, Any]:
    """Return the columns of a photo in all tables.

    Args:
        photo_id: Name of the photo. `name!` has an error; `name*` is another version of
            the photo with the same path.
    """
    name = photo_id.rstrip("!*")
    return {
        **key_of(f"Test/Kiwi/{name}"),
        "photo_id": photo_id,
        "content": photo_id.encode(),
        "image": None if photo_id.endswith("!") else photo_id.encode(),
        "error": "broken" if photo_id.endswith("!") else None,
        "features": [1.0, float(len(name))],
    }


def batches(
    photo_ids: Mapping[str, Sequence[str]], schema: pa.Schema = schemas.IMAGES
) -> Batches:
    """Return batches of one part each.

    Args:
        photo_ids: Photo ids, as in `photo_row`, by batch.
        schema: Schema of the table.
    """

    def loader(ids: Sequence[str]) -> Callable[[], DataFrame]:
        table = arrow_table([*map(photo_row, ids)], schema)
        return lambda: from_tables([table], schema)

    return {name: loader(ids) for name, ids in photo_ids.items()}


def batch_of_parts(photo_ids: Sequence[str], schema: pa.Schema) -> Batches:
    """Return the batch 000001, with a part for each photo."""
    tables = [arrow_table([photo_row(photo_id)], schema) for photo_id in photo_ids]
    return {"000001": lambda: from_tables(tables, schema)}


def fail_if_computed() -> DataFrame:
    """Fail, in place of a batch that is stored already."""
    raise AssertionError("a stored batch was computed again")


def stored_ids(table: DeltaBatches) -> dict[str, list[str]]:
    """Return the sorted `photo_id` values by batch, as read by `deltalake` alone."""
    rows = DeltaTable(table.filepath).to_pyarrow_table().to_pylist()
    names = sorted({row["batch"] for row in rows})
    return {
        name: sorted(row["photo_id"] for row in rows if row["batch"] == name)
        for name in names
    }


def log_of(table: DeltaBatches) -> DeltaLog:
    """Return the newest version of a table."""
    return open_existing_log(table.filepath)


def data_files(table: DeltaBatches, batch: str = "*") -> list[Path]:
    """Return the Parquet files in the folder of a table, sorted."""
    return sorted(Path(table.filepath).glob(f"batch={batch}/*.parquet"))


def decode(rows: Rows) -> Rows:
    """Return the `IMAGES` rows of `PHOTOS` rows."""
    for batch in rows:
        photos = map(photo_row, batch["photo_id"].to_pylist())
        yield record_batch([*photos], schemas.IMAGES)


def embed(rows: Rows) -> Rows:
    """Return the `FEATURES` rows of `IMAGES` rows without an error."""
    for batch in rows:
        valid = batch.filter(batch["error"].is_null())
        photos = map(photo_row, valid["photo_id"].to_pylist())
        yield record_batch([*photos], schemas.FEATURES)
