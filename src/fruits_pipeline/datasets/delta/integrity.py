"""Find data files of a table that are missing or damaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.files import DataFile, list_sizes
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.errors import REPAIR, FruitsError
from fruits_pipeline.spark.frames import from_parts
from fruits_pipeline.spark.inspection import Sample, column_types, inspect
from fruits_pipeline.spark.parquet import has_checksum
from fruits_pipeline.spark.parts import map_part, table_part

MAX_TASKS = 200
"""Maximum number of Spark tasks that inspect the files of a table."""

ALL = Sample(share=1, seed=0)


def missing_or_resized(
    files: Sequence[DataFile], sizes: Mapping[str, int]
) -> Iterator[tuple[DataFile, str]]:
    """Yield the files that are missing or have another size, and what was found.

    Args:
        files: The files that the log of a table lists.
        sizes: Size in bytes of each stored file by relative path.
    """
    for file in files:
        size = sizes.get(file.path)
        if size is None:
            yield file, f"no file {file.path}"
        elif size != file.size_bytes:
            yield file, f"{file.path} of {size} bytes instead of {file.size_bytes}"


def check_sizes(log: DeltaLog) -> None:
    """Raise unless storage has every file that the log lists, with the same size.

    Raises:
        FruitsError: A file is missing or has another size.
    """
    for file, found in missing_or_resized(log.files, list_sizes(log.location)):
        raise FruitsError(
            f"Found {found} in batch {file.batch} of {log.location}; expected all files "
            "that its log lists, as they were written. If a lifecycle rule of the bucket, or "
            "another program, deletes files below `root`, end that first; to delete old "
            f"photos, set retention.content_days instead. {REPAIR}"
        )


def inspect_files(
    location: str, paths: Sequence[str], sample: Sample = ALL
) -> list[dict[str, Any]]:
    """Read files on Spark's workers, and return an `INSPECTION` row for each.

    Args:
        location: Path or URL of the table.
        paths: Paths of the files, relative to `location`.
        sample: The photos whose content is compared with `photo_id`.
    """
    if not paths:
        return []
    rows = pa.table({"path": pa.array(paths, pa.string())})
    size = -(-len(paths) // MAX_TASKS)  # rounded up
    tables = [rows.slice(i, size) for i in range(0, len(paths), size)]
    step = partial(inspect, folder=location, sample=sample)
    parts = [map_part(table_part(table), step) for table in tables]
    return [row.asDict() for row in from_parts(parts, schemas.INSPECTION).collect()]


def differences(
    file: DataFile, found: Mapping[str, Any], schema: pa.Schema
) -> Iterator[str]:
    """Yield how the content of a file differs from what the log and its name state.

    Args:
        file: The file as the log states.
        found: Its `INSPECTION` row.
        schema: Expected schema of the file.
    """
    if found["problem"]:
        yield found["problem"]
        return
    yield from _wrong_columns(file, found, schema)
    for name in ("rows", "errors", "photos", "without_content"):
        if found[name] != getattr(file, name):
            yield f"{name} = {found[name]} instead of {getattr(file, name)}"
    for name, only_valid in (("keys", False), ("valid_keys", True)):
        digest = file.key_digest(only_valid)
        if digest is not None and found[name] != f"{digest:016x}":
            yield "rows of other photos than its name states"
            return


def _wrong_columns(
    file: DataFile, found: Mapping[str, Any], schema: pa.Schema
) -> Iterator[str]:
    types = dict(column.split("\t") for column in found["columns"].split("\n"))
    expected = column_types(schema)
    if not has_checksum(
        file.path
    ):  # written by an older version, which had fewer columns
        expected = {name: expected[name] for name in expected if name in types}
    if types != expected:
        wrong = sorted(n for n in types | expected if types.get(n) != expected.get(n))
        yield f"other types or names of the columns {', '.join(wrong)}"


def as_data_file(path: str, size_bytes: int, found: Mapping[str, Any]) -> DataFile:
    """Return the description of a file according to its content.

    Args:
        path: Path relative to the table.
        size_bytes: Size of the file.
        found: Its `INSPECTION` row.
    """
    batch = path.partition("/")[0].removeprefix("batch=")
    names = ("rows", "errors", "photos", "first_path", "last_path", "without_content")
    return DataFile(path, size_bytes, batch, **{name: found[name] for name in names})


def find_damaged(log: DeltaLog, schema: pa.Schema) -> Iterator[tuple[DataFile, str]]:
    """Read all files of a table; yield the damaged ones, and what was found.

    Args:
        log: Newest version of the table.
        schema: Expected schema of its files.
    """
    damaged = dict(missing_or_resized(log.files, list_sizes(log.location)))
    yield from damaged.items()
    files = {file.path: file for file in log.files if file not in damaged}
    for found in inspect_files(log.location, [*files]):
        file = files[found["path"]]
        problems = [*differences(file, found, schema)]
        if found["wrong_ids"]:
            problems.append(f"another photo than {', '.join(found['wrong_ids'][:3])}")
        if problems:
            yield file, f"{file.path}: {'; '.join(problems)}"
