"""Find and remove data files of a table that are missing or damaged."""

from __future__ import annotations

from collections.abc import Iterator

from fruits_pipeline.datasets.delta.files import DataFile, list_sizes
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.spark.parquet import read_rows


def find_damaged(
    log: DeltaLog, read_files: bool = False
) -> Iterator[tuple[DataFile, str]]:
    """Yield files that are missing, truncated or damaged, and a description of each.

    Args:
        log: Newest version of the table.
        read_files: Whether to read every file, which also finds flipped bits. Otherwise
            only sizes are compared.
    """
    sizes = list_sizes(log.location)
    for file in log.files:
        path, size = f"{log.location}/{file.path}", sizes.get(file.path)
        if size is None:
            yield file, f"no file {path}"
        elif size != file.size_bytes:
            yield file, f"{path} of {size} bytes"
        elif read_files and (error := _read_error(path)):
            yield file, error


def check_sizes(log: DeltaLog) -> None:
    """Raise unless storage has every file that the log lists, with the same size.

    Raises:
        FruitsError: A file is missing or has another size.
    """
    for file, description in find_damaged(log):
        raise FruitsError(
            f"Found {description}, which the log lists for batch {file.batch} of "
            f"{log.location}; expected all files as they were written. Compute the batch "
            "again: run all stages (`kedro run`) with the same parameters and --params "
            "damaged_batches=recompute"
        )


def remove_damaged(log: DeltaLog, with_batches: bool) -> int:
    """Remove damaged files from the table; return the number of removed files.

    Args:
        log: Newest version of the table.
        with_batches: Whether to also remove the intact files of damaged batches.
    """
    damaged = [file for file, _ in find_damaged(log, read_files=True)]
    if with_batches:
        batches = {file.batch for file in damaged}
        damaged = [file for file in log.files if file.batch in batches]
    if damaged:
        writer = TableWriter(log)
        writer.claim()
        writer.commit(removed=damaged)
    return len(damaged)


def _read_error(path: str) -> str | None:
    """Return the error of reading a file; None if it is readable."""
    try:
        for _ in read_rows(path):
            pass
    except FruitsError as exc:
        return str(exc)
    return None
