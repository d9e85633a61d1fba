"""The dataset that combines small batches of a table, and deletes what it does not need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from fruits_pipeline import schemas
from fruits_pipeline.datasets.delta.checkpoints import (
    delete_expired_log,
    has_checkpoint,
    write_checkpoint,
)
from fruits_pipeline.datasets.delta.compaction import (
    Groups,
    combine_batches,
    find_combined_upstream,
)
from fruits_pipeline.datasets.delta.errors import translate_delta_errors
from fruits_pipeline.datasets.delta.files import DATA_FILE_NAME, list_sizes
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.moments import TotalsFolder, moment_tree
from fruits_pipeline.datasets.delta.tables import check_sizes_once, open_log
from fruits_pipeline.datasets.delta.upgrade import set_retention
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.datasets.path_dataset import PathDataset


@dataclass(frozen=True)
class TidyPlan:
    """What to do with the tables of a root.

    Attributes:
        groups: Batches of the table `photos` to combine. The other tables follow it.
        keep_days: Number of days for which replaced data files and the log of replaced
            versions are kept for other readers.
    """

    groups: Groups = field(default_factory=dict)
    keep_days: int = 7


@dataclass(frozen=True)
class TidyResult:
    """What was done with a table.

    Attributes:
        table: Name of the table.
        batches: Number of batches before and after.
        files: Number of data files of the table before and after.
        freed_bytes: Size of the files that were deleted, those of the log included.
        kept_bytes: Size of the data files that are kept for other readers.
    """

    table: str
    batches: tuple[int, int] = (0, 0)
    files: tuple[int, int] = (0, 0)
    freed_bytes: int = 0
    kept_bytes: int = 0


class TidyTable(PathDataset[TidyPlan, TidyResult]):
    """A table, whose small batches are combined by saving a plan.

    Args:
        filepath: Path or URL of the table.
        table: Name of the schema in `schemas`, lower case: "photos", "images", ...
        upstream: `{"path": ...}` of its upstream table; None for `photos`.
        metadata: Ignored; used by Kedro-Viz.
    """

    # Kedro's ParallelRunner forks, which a running Spark session does not survive.
    _SINGLE_PROCESS = True

    def __init__(
        self,
        *,
        filepath: str,
        table: str,
        upstream: Mapping[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        self.table = table
        self.schema: pa.Schema = getattr(schemas, table.upper())
        self.upstream = upstream["path"] if upstream else None
        self._result = TidyResult(table)

    def load(self) -> TidyResult:
        """Return what the last save did."""
        return self._result

    def save(self, data: TidyPlan) -> None:
        """Combine batches, delete expired files, and write a checkpoint.

        If it is interrupted, the next call continues.

        Raises:
            FruitsError: Another run writes to the table, or a file is damaged.
        """
        log = open_log(self.filepath)
        if log is None:
            self._result = TidyResult(self.table)
            return
        check_sizes_once(log)
        stored, before = self._sizes(), _count(log)
        set_retention(log, data.keep_days)
        writer = TableWriter(log)
        combine_batches(writer, self._groups(data, log), self.schema)
        if writer.find_unlisted():
            writer.claim()
            writer.vacuum()
        self._clean_log(writer.log)
        self._result = self._describe_result(stored, before, writer.log)

    def _groups(self, plan: TidyPlan, log: DeltaLog) -> Groups:
        if self.upstream is None:
            return plan.groups
        upstream = open_log(self.upstream)
        return find_combined_upstream(log, upstream) if upstream else {}

    def _clean_log(self, log: DeltaLog) -> None:
        with translate_delta_errors(self.filepath):
            if not has_checkpoint(log):
                write_checkpoint(log)
            delete_expired_log(log)
        if self.table == "moments":
            moment_tree(log).discard_old_nodes()

    def _sizes(self) -> dict[str, int]:
        sizes = list_sizes(self.filepath)
        if self.table == "moments":
            folder = TotalsFolder.of(self.filepath).location
            sizes |= {f"../{name}": size for name, size in list_sizes(folder).items()}
        return sizes

    def _describe_result(
        self, stored: Mapping[str, int], before: tuple[int, int], log: DeltaLog
    ) -> TidyResult:
        sizes, after = self._sizes(), _count(log)
        listed = {file.path for file in log.files}
        unlisted = [p for p in sizes if DATA_FILE_NAME.fullmatch(p) and p not in listed]
        return TidyResult(
            self.table,
            (before[0], after[0]),
            (before[1], after[1]),
            sum(stored[path] for path in stored.keys() - sizes.keys()),
            sum(sizes[path] for path in unlisted),
        )


def _count(log: DeltaLog) -> tuple[int, int]:
    """Return the numbers of batches and of files."""
    return len(log.batches), len(log.files)
