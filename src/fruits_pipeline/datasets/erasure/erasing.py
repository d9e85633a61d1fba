"""Erase photos from the tables, and delete what was computed from them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fruits_pipeline.datasets.delta.batches import DeltaBatches
from fruits_pipeline.datasets.delta.erasure import (
    erase_moments,
    erase_rows,
    find_rows,
    purge,
    read_found,
)
from fruits_pipeline.datasets.delta.tables import open_log
from fruits_pipeline.datasets.erasure.selection import KEYED, Logs, Selection
from fruits_pipeline.datasets.erasure.values import read_values
from fruits_pipeline.io.files import is_local, resolve
from fruits_pipeline.io.forgotten import (
    ForgottenPhoto,
    hash_file,
    hash_text,
)
from fruits_pipeline.io.listing import ListedFile
from fruits_pipeline.io.traces import Traces

logger = logging.getLogger(__name__)

Tables = Mapping[str, DeltaBatches]
"""The six tables by name."""


def open_logs(tables: Tables) -> Logs:
    """Return the newest versions of the tables that exist.

    Raises:
        FruitsError: The log of a table is damaged.
    """
    logs = {name: open_log(table.filepath) for name, table in tables.items()}
    return {name: log for name, log in logs.items() if log}


def collect(
    tables: Tables, logs: Logs, selection: Selection, traces: Traces
) -> list[ForgottenPhoto]:
    """Read the rows to erase. Add them to the traces, and return their hashes.

    Raises:
        FruitsError: A file of a table is damaged.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    hashes = [
        ForgottenPhoto(now, hash_text(i), None, ()) for i in selection.targets.ids
    ]
    traces.ids |= selection.targets.ids
    traces.paths |= selection.targets.paths | selection.argument_paths
    for name in KEYED:
        if name not in logs:
            continue
        found = find_rows(logs[name], selection.targets)
        for rows in read_found(logs[name], found, tables[name].schema):
            traces.paths |= {*rows["path"].to_pylist()}
            for _, value in read_values(rows, name):
                traces.values.add(value)
            if name == "photos":
                hashes += [_hash_photo(row, now) for row in rows.to_pylist()]
    traces.paths -= selection.remaining
    return hashes


def _hash_photo(row: Mapping[str, Any], now: str) -> ForgottenPhoto:
    """Return the hashes of a row of the table `photos`."""
    file = hash_file(ListedFile(**{name: row[name] for name in ListedFile._fields}))
    if row["photo_id"] is None:
        return ForgottenPhoto(now, None, None, (file,))
    content = row["content"]  # None if it was removed
    size = hash_text(str(row["size_bytes"] if content is None else len(content)))
    return ForgottenPhoto(now, hash_text(row["photo_id"]), size, (file,))


def erase(tables: Tables, selection: Selection) -> dict[str, int]:
    """Delete rows from all tables; return the number of deleted rows of each.

    Raises:
        FruitsError: Another run writes to a table, or a file is damaged.
    """
    logs, deleted = open_logs(tables), {}
    for name in KEYED:
        if name in logs:
            found = find_rows(logs[name], selection.targets)
            erase_rows(logs[name], found, tables[name].schema)
            deleted[name] = sum(map(len, found.values()))
        if name == "features" and "moments" in logs:
            features = open_logs({"features": tables["features"]}).get("features")
            deleted["moments"] = erase_moments(logs["moments"], features)
    return deleted


def purge_all(tables: Tables) -> dict[str, int]:
    """Delete the old versions of all tables; return the number of each.

    Raises:
        FruitsError: Another run writes to a table.
    """
    return {name: purge(tables[name].filepath) for name in open_logs(tables)}


def delete_results(paths: Iterable[str]) -> list[str]:
    """Delete models and reports, and versions of them that were not written completely.

    Args:
        paths: Paths or URLs of the files. Missing files are ignored.

    Returns:
        The paths of the deleted files.
    """
    deleted = []
    for path in paths:
        file_system, target = resolve(path)
        folder, _, name = target.rpartition("/")
        file_system.invalidate_cache()
        if not file_system.isdir(folder):
            continue
        for file in file_system.ls(folder, detail=False):
            other = file.rpartition("/")[2]
            is_unfinished = other.startswith(f"{name}.") and other.endswith(
                ".unfinished"
            )
            if other == name or is_unfinished:
                file_system.rm_file(file)
                deleted.append(path)
    return deleted


def existing(results: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the stages of which a model or report exists.

    Args:
        results: Paths or URLs of the models and reports of each stage.
    """
    return [stage for stage, paths in results.items() if any(map(_exists, paths))]


def _exists(location: str) -> bool:
    file_system, path = resolve(location)
    file_system.invalidate_cache()
    return bool(file_system.exists(path))


def find_backbones(root: str) -> list[str]:
    """Return the paths, relative to a root, of the backbones and checkpoints below it."""
    file_system, base = resolve(f"{root}/06_models")
    if not file_system.exists(base):
        return []
    folders = [
        f["name"] for f in file_system.ls(base, detail=True) if f["type"] == "directory"
    ]
    return [f"06_models/{folder.rpartition('/')[2]}" for folder in sorted(folders)]


def relative_path(location: str, root: str) -> str | None:
    """Return a location relative to a root; None if it is not below it."""
    if is_local(location) != is_local(root):
        return None
    path, base = (_real_path(x) for x in (location, root))
    return path.removeprefix(f"{base}/") if path.startswith(f"{base}/") else None


def _real_path(location: str) -> str:
    path = str(resolve(location)[1]).rstrip("/")
    return os.path.realpath(path) if is_local(location) else path
