"""Remove the content of old photos from the tables `photos` and `images`.

The rows and their keys stay, so later tables do not change. A photo is as old as its batch:
the time when the batch was added to `photos`, which each file of the batch keeps when it is
written again. The time of modification of a photo would not do: photos are often years old
when they are uploaded.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.comparison import batches_that_differ, read_keys
from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.datasets.delta.written_batches import write_batch
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.frames import from_files, map_arrow
from fruits_pipeline.spark.jobs import write_concurrently
from fruits_pipeline.spark.keys import photo_keys
from fruits_pipeline.spark.parts import Rows
from fruits_pipeline.spark.progress import track

READ_AGAIN = (
    "Read these photos again from the photo root with `make run` and "
    "--params removed_content=read, and the same other --params"
)
"""The solution if removed content is needed."""

logger = logging.getLogger(__name__)


def count_without_content(files: Sequence[DataFile]) -> int:
    """Return the number of rows whose content was removed."""
    return sum(file.without_content for file in files)


def find_expired(logs: Mapping[str, DeltaLog], before: int) -> list[str]:
    """Return the batches to remove the content of.

    A batch is complete if all tables that need its photos have the same keys.

    Args:
        logs: `photos`, `images`, `quality` and `features`.
        before: Time in milliseconds since 1970; batches added earlier are expired.
    """
    photos, images = logs["photos"], logs["images"]
    incomplete = {*batches_that_differ(images, photos)}
    for name in ("quality", "features"):
        incomplete |= {*batches_that_differ(logs[name], images)}
    return [
        name
        for name, files in photos.batches.items()
        if name not in incomplete and _added_at(files) < before
    ]


def _added_at(files: Sequence[DataFile]) -> int:
    """Return when the newest file was added; now, if the log was not read since."""
    now = int(time.time() * 1000)
    return max((now if f.added_at is None else f.added_at) for f in files)


def remove_content(
    writer: TableWriter,
    table: str,
    schema: pa.Schema,
    expired: Collection[str],
    features: DeltaLog,
) -> int:
    """Remove the content of the photos that have features, one commit for each batch.

    Args:
        writer: Writer of the table.
        table: `photos` or `images`.
        schema: Schema of its files.
        expired: Batches of the table.
        features: The table `features`.

    Returns:
        Number of photos whose content was removed.

    Raises:
        FruitsError: Another run writes to the table, or a file is missing or damaged.
    """
    log, column = writer.log, schemas.CONTENT[table]
    batches: dict[str, Callable[[], DataFrame]] = {}
    for name in expired:
        valid = features.batches.get(name, ())
        files = log.batches[name]
        if count_without_content(files) < sum(file.rows for file in valid):
            paths = [f"{log.location}/{file.path}" for file in files]
            keys = partial(read_keys, features, valid, only_valid=False)
            batches[name] = partial(_without_content, paths, schema, column, keys)
    if not batches:
        return 0
    writer.claim()
    removed = 0
    with track(f"retention of {table}", len(batches)) as advance:
        write = partial(write_batch, log.location, schema)
        for name, written in write_concurrently(write, batches):
            replaced = writer.log.batches[name]
            age = _added_at(replaced)
            writer.commit([replace(f, added_at=age) for f in written], replaced)
            photos = count_without_content(written) - count_without_content(replaced)
            removed += photos
            advance(photos)
    return removed


def _without_content(
    paths: Sequence[str],
    schema: pa.Schema,
    column: str,
    keys: Callable[[], set[tuple[str, str]]],
) -> DataFrame:
    step = partial(clear_content, column=column, keys=keys())
    return map_arrow(from_files(paths, schema), step, schema)


def clear_content(rows: Rows, column: str, keys: Collection[tuple[str, str]]) -> Rows:
    """Set a column of the rows with some keys (`path`, `photo_id`) to null."""
    for batch in rows:
        is_old = pa.array([key in keys for key in photo_keys(batch)], pa.bool_())
        position = batch.schema.get_field_index(column)
        kept = pc.if_else(is_old, pa.scalar(None, pa.binary()), batch[column])
        yield batch.set_column(position, batch.schema.field(column), kept)


def check_content(upstream: DeltaLog, table: str, batches: Collection[str]) -> None:
    """Raise if a table needs content that was removed from its upstream table.

    Args:
        upstream: The table `photos` or `images`.
        table: Name of the table to compute.
        batches: Batches to compute.

    Raises:
        FruitsError: Content of these batches was removed.
    """
    files = [file for name in batches for file in upstream.batches.get(name, ())]
    if removed := count_without_content(files):
        raise FruitsError(
            f"Found that the content of {removed} photos, which `{table}` has to be "
            f"computed from, was removed from {upstream.location}; expected it, because the "
            "recipe or backbone differs from that of the stored rows, or rows were lost. "
            "Restore the earlier parameters and backbone, if they have changed. Otherwise: "
            f"{READ_AGAIN}. Photos that no longer exist there cannot be computed again: "
            "delete their rows with --params ingest.gone=delete"
        )
