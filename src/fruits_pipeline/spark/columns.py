"""Column expressions and lookups for DataFrames of photos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

if TYPE_CHECKING:
    import pandas as pd


def in_splits(names: Sequence[str]) -> Column:
    """Return a Boolean column: `split` in `names`, case-insensitive.

    Null if `split` is null.
    """
    return F.lower("split").isin([name.lower() for name in names])


def add_binary_column(
    rows: DataFrame, selected: pd.DataFrame, column: str
) -> pd.DataFrame:
    """Add a column of bytes to a few rows, by reading only the batches of these rows.

    Args:
        rows: All rows, with `path`, `batch` and the column.
        selected: Some of the rows, with `path` and `batch`.
        column: Name of the column.
    """
    values: dict[str, bytes] = {}
    if len(selected):
        in_batches = F.col("batch").isin([*selected["batch"].unique()])
        found = rows.where(in_batches & F.col("path").isin([*selected["path"]]))
        table = found.select("path", column).toArrow()
        paths, contents = table["path"].to_pylist(), table[column].to_pylist()
        values = dict(zip(paths, contents, strict=True))
    return selected.assign(**{column: selected["path"].map(values)})
