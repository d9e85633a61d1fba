"""Write the files of a batch, and find the photos that end their worker."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.canonical import DECODER_FAILURE
from fruits_pipeline.spark import frames
from fruits_pipeline.spark.error_messages import is_task_failure, user_message
from fruits_pipeline.spark.parquet import read_rows

logger = logging.getLogger(__name__)


def write_batch(
    location: str, schema: pa.Schema, name: str, load: Callable[[], DataFrame]
) -> tuple[str, list[DataFile]]:
    """Write the rows that `load` returns; return the name of the batch and its files.

    If a task fails, for example because a photo crashes its worker, the batch is written
    once more, and photos are processed in child processes of the workers.

    Raises:
        FruitsError: The tasks have failed again.
    """
    rows, folder = load(), f"{location}/batch={name}"
    try:
        reports = frames.write(rows, folder, schema)
    except (PySparkException, Py4JError) as exc:
        if not is_task_failure(exc):
            raise
        logger.warning(
            "%s: %s. The batch is written again, with photos in child processes.",
            folder,
            user_message(exc),
        )
        reports = _write_isolated(rows, folder, schema)
    files = [DataFile.from_write_report(name, report) for report in reports]
    return name, files


def _write_isolated(
    rows: DataFrame, folder: str, schema: pa.Schema
) -> list[dict[str, Any]]:
    """Write a batch with each photo in a child process, and log why photos are rejected."""
    try:
        reports = frames.write(rows, folder, schema, isolated=True)
    except (PySparkException, Py4JError) as exc:
        if not is_task_failure(exc):
            raise
        raise FruitsError(
            f"Found that {folder} cannot be written: its tasks failed twice "
            f"({user_message(exc)}); expected enough memory for each worker, and workers "
            "that no other program ends. Lower ingest.photos_per_part for new photos, set "
            "spark.master to local[1] in conf/<env>/spark.yml, or use a larger machine. "
            "Then run again: finished batches are kept."
        ) from exc
    for report in reports if "error" in schema.names else ():
        _log_failures(f"{folder}/{report['file']}")
    return reports


def _log_failures(path: str) -> None:
    """Log the photos in a file that have ended their process."""
    columns = pa.schema([pa.field("path", pa.string()), pa.field("error", pa.string())])
    for batch in read_rows(path, columns):
        for row in batch.to_pylist():
            if (row["error"] or "").startswith(DECODER_FAILURE):
                logger.warning("Rejected %s: %s", row["path"], row["error"])
