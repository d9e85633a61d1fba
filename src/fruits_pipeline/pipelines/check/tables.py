"""Check the log and the files of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fruits_pipeline.datasets import StoredTable
from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.integrity import differences, missing_or_resized
from fruits_pipeline.pipelines.check.findings import MEND, RUN, Finding, shorten
from fruits_pipeline.reporting.theme import count_text
from fruits_pipeline.spark.inspection import Sample


@dataclass(frozen=True)
class InspectedTable:
    """A table, and the content of its files.

    Attributes:
        table: The table.
        contents: `INSPECTION` row of each intact file, by path.
        damaged: What was found instead of each damaged file, by path.
    """

    table: StoredTable
    contents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    damaged: Mapping[str, str] = field(default_factory=dict)

    def path_hashes(self) -> np.ndarray:
        """Return the hash of the path of each photo, `uint64 [rows]`."""
        found = [row["path_hashes"] or b"" for row in self.contents.values()]
        return np.frombuffer(b"".join(found), np.uint64)

    def digest(self, batch: str, only_valid: bool) -> int | None:
        """Return the digest of the keys of a batch; None if a file of it is damaged."""
        files = self.table.batches().get(batch, ())
        if any(file.path in self.damaged for file in files):
            return None
        name = "valid_keys" if only_valid else "keys"
        return sum(int(self.contents[file.path][name], 16) for file in files) % 2**64


def inspect_table(table: StoredTable, sample: Sample) -> InspectedTable:
    """Read all files of a table, and find those that are damaged."""
    damaged = {
        file.path: text for file, text in missing_or_resized(table.files, table.sizes)
    }
    files = {file.path: file for file in table.files if file.path not in damaged}
    contents = {row["path"]: row for row in table.inspect([*files.values()], sample)}
    for path, file in files.items():
        if problems := [*_problems(file, contents[path], table)]:
            damaged[path] = f"{path}: {'; '.join(problems)}"
    intact = {path: row for path, row in contents.items() if path not in damaged}
    return InspectedTable(table, intact, damaged)


def _problems(
    file: DataFile, content: Mapping[str, Any], table: StoredTable
) -> Iterator[str]:
    yield from differences(file, content, table.schema)
    if wrong := content["wrong_ids"]:
        yield f"photo_id of {shorten(wrong)} is not the SHA-256 of its content"


def check_table(inspected: InspectedTable) -> Iterator[Finding]:
    """Check that a table is readable, intact and free of duplicates."""
    table = inspected.table
    if table.problem:
        yield Finding(table.name, table.problem, "a readable table", MEND)
        return
    if not table.exists and table.unlisted():
        found = f"{count_text(len(table.unlisted()), 'data file')} without a log"
        yield Finding(table.name, found, f"a log in {table.location}/_delta_log", MEND)
    missing = [name for name in table.schema.names if name not in table.columns]
    if table.exists and missing:
        found = f"no column {', '.join(missing)}"
        yield Finding(table.name, found, "the columns of this version", RUN, False)
    for path, found in inspected.damaged.items():
        batch = path.partition("/")[0].removeprefix("batch=")
        yield Finding(
            f"{table.name}, batch {batch}", found, "the file as written", MEND
        )
    yield from _duplicates(inspected)
    yield from _other_files(table)


def _duplicates(inspected: InspectedTable) -> Iterator[Finding]:
    hashes, counts = np.unique(inspected.path_hashes(), return_counts=True)
    if duplicates := int((counts - 1).sum()):
        files = _files_with(inspected, hashes[counts > 1])
        found = (
            f"{count_text(duplicates, 'row')} with the path of another row in {files}"
        )
        yield Finding(inspected.table.name, found, "one row for each path", MEND)


def _files_with(inspected: InspectedTable, hashes: np.ndarray) -> str:
    """Return the names of the files that contain some of the hashes of paths."""
    rows = inspected.contents.items()
    names = [
        path
        for path, row in rows
        if np.isin(np.frombuffer(row["path_hashes"], np.uint64), hashes).any()
    ]
    return shorten(names)


def _other_files(table: StoredTable) -> Iterator[Finding]:
    """Yield information about stored files that are not part of the table."""
    if foreign := table.foreign():
        text = (
            f"{count_text(len(foreign), 'file')} of other programs or copies: "
            f"{shorten([*foreign])}"
        )
        expected = "only files of this project; they are ignored and kept"
        yield Finding(table.name, text, expected, "move them away", False)
    if table.exists and (unlisted := table.unlisted()):
        names = Counter(path.rpartition("/")[2] for path in unlisted)
        text = (
            f"{count_text(len(unlisted), 'data file')} that the log does not list: "
            f"{shorten([*names])}"
        )
        expected = (
            "none, unless `make tidy` has replaced them; a later run deletes them"
        )
        yield Finding(table.name, text, expected, RUN, False)
