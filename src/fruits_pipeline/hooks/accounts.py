"""Compare the tables of a run with each other, without reading their files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fruits_pipeline.datasets import DeltaBatches
from fruits_pipeline.datasets.delta.comparison import batches_that_differ
from fruits_pipeline.datasets.delta.tables import open_log
from fruits_pipeline.errors import REPAIR, FruitsError


def check_accounts(tables: Iterable[DeltaBatches]) -> None:
    """Check that each table has the photos of its upstream table, and current sources.

    Args:
        tables: The tables that a run has written.

    Raises:
        FruitsError: Photos are missing in a table or should not be there, or the table
            was computed from another source.
    """
    wrong = [problem for table in tables for problem in _problems(table)]
    if wrong:
        raise FruitsError(
            f"Found tables that differ: {'; '.join(wrong)}; expected the same photos in "
            f"all tables. {REPAIR}"
        )


def _problems(table: DeltaBatches) -> Iterator[str]:
    sources = table.lineage.sources
    upstream = next((s for s in sources if isinstance(s, DeltaBatches)), None)
    log = open_log(table.filepath)
    above = open_log(upstream.filepath) if upstream else None
    if upstream is None or log is None or above is None:
        return
    if batches := batches_that_differ(log, above):
        yield f"batches {', '.join(batches)} of {table.table} and {upstream.table}"
    if log.source_ids != table.lineage.source_ids():
        yield f"{table.table} was computed from another table or PCA"
