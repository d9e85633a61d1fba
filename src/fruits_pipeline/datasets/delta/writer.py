"""Commits to a Delta table, by one run at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping

from deltalake import CommitProperties, Transaction
from deltalake.transaction import AddAction, RemoveAction

from fruits_pipeline.datasets.delta.checkpoints import (
    WITHOUT_CHECKPOINT,
    is_checkpoint_due,
    write_checkpoint,
)
from fruits_pipeline.datasets.delta.errors import (
    concurrent_run_error,
    translate_delta_errors,
)
from fruits_pipeline.datasets.delta.files import (
    DATA_FILE_NAME,
    DataFile,
    flush_commit,
    list_sizes,
)
from fruits_pipeline.datasets.delta.log import (
    EARLIER_BATCH,
    LAST_BATCH,
    WRITER,
    DeltaLog,
)
from fruits_pipeline.datasets.delta.requests import commit_once, open_delta_table
from fruits_pipeline.io.files import resolve
from fruits_pipeline.io.lease.held import check_lease

logger = logging.getLogger(__name__)


class TableWriter:
    """Commits data files, which workers have written, to a table.

    A writer claims the table before it writes: it commits a number that is higher than
    that of the previous writer. Commits of the previous writer fail from then on, because
    Delta Lake rejects a commit if the same application transaction changed concurrently.

    Args:
        log: Newest version of the table.
        number: Number of the writer, if it has created this version; else None.
        removed: Files that it has removed by that.
    """

    def __init__(
        self,
        log: DeltaLog,
        number: int | None = None,
        removed: Iterable[DataFile] = (),
    ) -> None:
        self.log = log
        self._planned_version = log.version_id
        self._number = number
        self._has_claimed = False
        self._earlier_batch = 0
        self._removed = {file.path for file in removed}

    def claim(self) -> None:
        """Exclude other writers, and delete files that they have not committed.

        Call it before any file is written. Further calls have no effect.

        Raises:
            FruitsError: Another run has changed the table since this writer was created.
        """
        if self._has_claimed:
            return
        self._has_claimed = True
        if self._number is None:
            location = self.log.location
            # Not the cached table: readers of this run refresh that, and commits based on
            # a refreshed version do not conflict with the claim of another run.
            with translate_delta_errors(location):
                self.log = DeltaLog(location, open_delta_table(location))
            if self.log.version_id != self._planned_version:
                raise concurrent_run_error(location)
            self._number = self.log.writer + 1
            self.commit()
        self._earlier_batch = self.log.last_batch
        self.vacuum()

    def commit(
        self,
        added: Iterable[DataFile] = (),
        removed: Iterable[DataFile] = (),
        data_change: bool = True,
        **metadata: str,
    ) -> None:
        """Add and remove files in one commit. Call `claim` before.

        Args:
            added: Files that workers have written.
            removed: Files that the log lists.
            data_change: Whether rows change. Otherwise, the removed files stay in storage
                for other readers; see `vacuum`.
            metadata: Recorded in the history of the table.

        Raises:
            FruitsError: Another run has claimed the table, or may have taken over the
                lease.
        """
        check_lease()
        added, removed = [*added], [*removed]
        now, columns = int(time.time() * 1000), self.log.columns
        last_batch = max([self.log.last_batch, *(int(file.batch) for file in added)])
        transactions = [
            Transaction(WRITER, self._number or 0),
            Transaction(LAST_BATCH, last_batch),
        ]
        if any(int(file.batch) > self._earlier_batch for file in added):
            transactions.append(Transaction(EARLIER_BATCH, self._earlier_batch))
        actions: list[AddAction | RemoveAction] = [
            *(file.add_action(now, columns, data_change) for file in added),
            *(file.remove_action(now, data_change) for file in removed),
        ]

        def commit(identity: Mapping[str, str]) -> None:
            self.log.table.create_write_transaction(
                actions,
                mode="append",
                schema=self.log.table.schema(),
                partition_by=["batch"],
                commit_properties=CommitProperties(
                    custom_metadata={**metadata, **identity},
                    app_transactions=transactions,
                ),
                post_commithook_properties=WITHOUT_CHECKPOINT,
            )

        with translate_delta_errors(self.log.location):
            commit_once(self.log.location, commit)
            self._removed |= {file.path for file in removed if data_change}
            own_version = self.log.version + 1
            self.log.refresh_own(added, removed)
            self._check_version(own_version)
            flush_commit(self.log.location, own_version)
            if is_checkpoint_due(self.log):
                write_checkpoint(self.log)

    def finish(self) -> None:
        """Delete from storage the files that this writer has removed from the table."""
        if self._removed:
            self.vacuum()

    def vacuum(self, keeps_removed: bool = True) -> None:
        """Delete files that the newest version does not list.

        Files that other writers have removed are kept for the time that the table property
        `delta.deletedFileRetentionDuration` states, 7 days by default, because other
        programs may read an older version. Unlike `DeltaTable.vacuum`, keeps all files
        whose names do not match `DATA_FILE_NAME`.

        Args:
            keeps_removed: Whether to keep these files.

        Raises:
            FruitsError: Another run has claimed the table; its files are kept.
        """
        if not (unlisted := self.find_unlisted(keeps_removed)):
            return
        location = self.log.location
        file_system, base = resolve(location)
        for path in unlisted:  # `rm` would interpret paths as glob patterns
            file_system.rm_file(f"{base}/{path}")
        logger.info("%s: deleted %d unlisted files", location, len(unlisted))

    def find_unlisted(self, keeps_removed: bool = True) -> list[str]:
        """Return the paths of the files that `vacuum` deletes.

        Raises:
            FruitsError: Another run has claimed the table.
        """
        location, version = self.log.location, self.log.version
        # In this order: files of a run that claims the table later are not in `stored`.
        stored = [
            path for path in list_sizes(location) if DATA_FILE_NAME.fullmatch(path)
        ]
        self.log.refresh()
        self._check_version(version)
        listed = {file.path for file in self.log.files}
        unlisted = [path for path in stored if path not in listed]
        if not unlisted or not keeps_removed:
            return unlisted
        kept = self.log.recently_removed() - self._removed
        return [path for path in unlisted if path not in kept]

    def _check_version(self, expected: int) -> None:
        """Raise if the newest version is another one, because of another run.

        Raises:
            FruitsError: Another run has claimed the table.
        """
        if self.log.version != expected and self.log.writer != self._number:
            raise concurrent_run_error(self.log.location)
