"""Remove damaged files from a table, and write a lost or damaged log again."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake.exceptions import TableNotFoundError

from fruits_pipeline.datasets.delta.cache import CACHE
from fruits_pipeline.datasets.delta.checkpoints import discard_damaged_checkpoints
from fruits_pipeline.datasets.delta.errors import (
    DamagedLogError,
    translate_delta_errors,
)
from fruits_pipeline.datasets.delta.files import DATA_FILE_NAME, DataFile, list_sizes
from fruits_pipeline.datasets.delta.integrity import (
    as_data_file,
    differences,
    find_damaged,
    inspect_files,
)
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.tables import create_table, open_table
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.io.files import resolve, write_atomically
from fruits_pipeline.lineage import Lineage

logger = logging.getLogger(__name__)

LOG_FOLDER = "_delta_log"
COMMIT = f"{LOG_FOLDER}/{0:020d}.json"


def remove_damaged(log: DeltaLog, schema: pa.Schema) -> int:
    """Remove damaged files from a table; return the number of removed files.

    The intact files of their batches are kept: saving the table finds out which rows are
    missing.

    Args:
        log: Newest version of the table.
        schema: Schema of its files.
    """
    damaged = []
    for file, found in find_damaged(log, schema):
        logger.warning("Removed from %s: %s", log.location, found)
        damaged.append(file)
    if damaged:
        writer = TableWriter(log)
        writer.claim()
        writer.commit(removed=damaged)
        writer.finish()
    return len(damaged)


def has_usable_log(location: str) -> bool:
    """Return whether the log of a table exists and can be read.

    Raises:
        FruitsError: The storage is not reachable, or another program wrote the table.
    """
    try:
        log = open_table(location)
        with translate_delta_errors(location):
            _ = log.files, log.recipe, log.source_ids, log.columns, log.last_batch
    except (DamagedLogError, TableNotFoundError):
        return False
    return True


def stored_files(location: str) -> dict[str, int]:
    """Return the sizes of the stored data files of a table, by relative path."""
    sizes = list_sizes(location)
    return {path: sizes[path] for path in sizes if DATA_FILE_NAME.fullmatch(path)}


def restore_if_damaged(
    location: str,
    schema: pa.Schema,
    lineage: Lineage,
    table_id: str | None,
    *,
    is_photos: bool,
) -> None:
    """Write the log of a table again if it is lost or damaged.

    If only a checkpoint is damaged, the log is read without it.

    Args:
        location: Path or URL of the table.
        schema: Schema of its files.
        lineage: Lineage of its rows.
        table_id: Id of the table according to tables that were computed from it. With
            the same id, these need not be computed again. None if there is none.
        is_photos: Whether it is the table `photos`.

    Raises:
        FruitsError: The storage is not reachable, or contains another table.
    """
    if has_usable_log(location):
        return
    if discard_damaged_checkpoints(location) and has_usable_log(location):
        return
    if table_id or stored_files(location):
        # Without a table that was computed from it, nothing confirms the recipe of
        # the stored rows. The content of photos does not depend on the recipe.
        adopts_files = table_id is not None or is_photos
        files = [*_intact_files(location, schema)] if adopts_files else []
        _write_log(location, schema, lineage, table_id, files)


def _write_log(
    location: str,
    schema: pa.Schema,
    lineage: Lineage,
    table_id: str | None,
    files: Sequence[DataFile],
) -> None:
    logger.warning(
        "%s: writing its log again, with %d stored files", location, len(files)
    )
    commit = _make_commit(schema, lineage, table_id, files)
    _delete_log(location)
    write_atomically(f"{location}/{COMMIT}", commit.encode())
    CACHE.tables.pop(location, None)


def _intact_files(location: str, schema: pa.Schema) -> Iterator[DataFile]:
    """Yield the newest stored files that have no path in common."""
    sizes = stored_files(location)
    taken = np.empty(0, np.uint64)
    for path, found in _newest_first(location, inspect_files(location, [*sizes])):
        if found["problem"] or found["wrong_ids"]:
            continue
        file = as_data_file(path, sizes[path], found)
        paths = np.frombuffer(found["path_hashes"], np.uint64)
        if [*differences(file, found, schema)] or np.isin(paths, taken).any():
            continue
        taken = np.concatenate([taken, paths])
        yield file


def _newest_first(
    location: str, rows: Sequence[Mapping[str, Any]]
) -> list[tuple[str, Mapping[str, Any]]]:
    file_system, base = resolve(location)
    by_path = {row["path"]: row for row in rows}
    ages = {path: file_system.modified(f"{base}/{path}") for path in by_path}
    newest = sorted(by_path, key=lambda path: ages[path], reverse=True)
    return [(path, by_path[path]) for path in newest]


def _make_commit(
    schema: pa.Schema,
    lineage: Lineage,
    table_id: str | None,
    files: Sequence[DataFile],
) -> str:
    """Return the only commit of a log: the actions of delta-rs for the same table."""
    with tempfile.TemporaryDirectory() as folder:
        recipe, source_ids = lineage.recipe, lineage.source_ids()
        writer = create_table(folder, schema, recipe, source_ids, None)
        writer.commit(files)
        commits = sorted(Path(folder, LOG_FOLDER).glob("*.json"))
        lines = [line for c in commits for line in c.read_text().splitlines() if line]
    actions: dict[str, Any] = {}
    for action in map(json.loads, lines):
        (kind, content), *_ = action.items()
        name = content.get("appId") or content.get("path")
        actions[f"{kind} {name}"] = action  # the last one of each application
    actions.pop("commitInfo None", None)
    if table_id:
        actions["metaData None"]["metaData"]["id"] = table_id
    info = {"timestamp": int(time.time() * 1000), "operation": "RESTORE"}
    return "\n".join(map(json.dumps, [*actions.values(), {"commitInfo": info}])) + "\n"


def _delete_log(location: str) -> None:
    """Delete the files of a log; without its first ones, the rest is not readable."""
    file_system, base = resolve(location)
    found = [p for p in list_sizes(location) if p.startswith(f"{LOG_FOLDER}/")]
    for path in sorted(found, key=lambda path: (path.endswith(".json"), path)):
        file_system.rm_file(f"{base}/{path}")
