"""Compare the tables below two roots, without code of this project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from factories import TABLES, read_table

VECTORS = {"features": "features", "reduced": "components"}
VOLATILE = {"modified_at", "batch"}
TOLERANCE = 1e-3
"""Maximum difference of two vectors relative to their length: sums in another order."""


@dataclass(frozen=True)
class Difference:
    """Number of rows by which tables differ from the expected ones.

    Attributes:
        lost: Missing or wrong rows.
        duplicated: Rows that exist twice, or should not exist.
    """

    lost: int = 0
    duplicated: int = 0

    def __add__(self, other: Difference) -> Difference:
        return Difference(self.lost + other.lost, self.duplicated + other.duplicated)

    def __bool__(self) -> bool:
        return bool(self.lost or self.duplicated)


def compare(expected: Path, root: Path, columns: bool = True) -> Difference:
    """Compare all tables of photos below a root with those below another one.

    Args:
        expected: Root of an undisturbed run.
        root: Root to compare.
        columns: Whether to compare all columns, or paths and ids only.
    """
    total = Difference()
    for table in TABLES:
        if table != "moments":
            total += _compare(
                _rows(expected, table), _rows(root, table), table, columns
            )
    return total


def _rows(root: Path, table: str) -> list[Mapping[str, Any]]:
    if not (root / TABLES[table]).exists():
        return []
    rows: list[Mapping[str, Any]] = read_table(root, table).to_pylist()
    return rows


def _compare(
    expected: list[Mapping[str, Any]],
    found: list[Mapping[str, Any]],
    table: str,
    columns: bool,
) -> Difference:
    wanted = {row["path"]: row for row in expected}
    counts = Counter(row["path"] for row in found)
    by_path = {row["path"]: row for row in found}
    extra = sum(count - (path in wanted) for path, count in counts.items())
    lost = sum(
        path not in by_path or not _is_equal(row, by_path[path], table, columns)
        for path, row in wanted.items()
    )
    return Difference(lost, extra)


def _is_equal(
    row: Mapping[str, Any], other: Mapping[str, Any], table: str, columns: bool
) -> bool:
    if not columns:
        return bool(row["photo_id"] == other["photo_id"])
    vector = VECTORS.get(table)
    skipped = VOLATILE | {vector}
    if any(row[n] != other[n] for n in row.keys() - skipped if n in other):
        return False
    if table == "photos" and row["content"] is not None:
        return sha256(other["content"]).hexdigest() == other["photo_id"]
    return vector is None or _is_close(row[vector], other[vector])


def _is_close(values: list[float], others: list[float]) -> bool:
    if len(values) != len(others):
        return False
    a, b = np.array(values), np.array(others)
    return bool(np.linalg.norm(a - b) <= TOLERANCE * np.linalg.norm(a))
