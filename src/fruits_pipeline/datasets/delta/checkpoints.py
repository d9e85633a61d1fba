"""Checkpoints of the log of a table, from which readers start instead of its first commit.

A checkpoint lists all files of a version, so writing one takes longer the more files a
table has. Large tables therefore get one less often than every 10 commits, the default of
delta-rs.
"""

from __future__ import annotations

import logging
import re

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import PostCommitHookProperties

from fruits_pipeline.datasets.delta.files import flush_commit, list_sizes
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.requests import repeat
from fruits_pipeline.io.files import read_file, resolve
from fruits_pipeline.spark.parquet import READ_ERRORS

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\.parquet")
_HINT = "_last_checkpoint"

logger = logging.getLogger(__name__)

MIN_COMMITS, MAX_COMMITS = 10, 100
"""Limits of the number of commits between checkpoints. Opening a table reads the newest
checkpoint and one file for each later commit."""

FILES_PER_COMMIT = 100
"""Number of files of a table for which a checkpoint takes about as long as a commit."""

WITHOUT_CHECKPOINT = PostCommitHookProperties(
    create_checkpoint=False, cleanup_expired_logs=False
)
"""Prevents that delta-rs writes a checkpoint, or deletes old ones, after a commit."""


def is_checkpoint_due(log: DeltaLog) -> bool:
    """Return whether the newest version should get a checkpoint."""
    files = sum(map(len, log.batches.values()))
    interval = min(max(files // FILES_PER_COMMIT, MIN_COMMITS), MAX_COMMITS)
    return (log.version + 1) % interval == 0


def write_checkpoint(log: DeltaLog) -> None:
    """Write a checkpoint of the newest version, and delete expired files of the log."""
    repeat(log.location, log.table.create_checkpoint)
    flush_commit(log.location, log.version)
    delete_expired_log(log)


def delete_expired_log(log: DeltaLog) -> None:
    """Delete expired files of the log.

    They expire after the table property `delta.logRetentionDuration`, 30 days by default.
    The newest checkpoint before that time is kept, with all later commits.
    """
    repeat(log.location, log.table.cleanup_metadata)


def has_checkpoint(log: DeltaLog) -> bool:
    """Return whether the newest version has a checkpoint."""
    names = list_sizes(f"{log.location}/_delta_log")
    return f"{log.version:020}.checkpoint.parquet" in names


def discard_damaged_checkpoints(location: str) -> bool:
    """Delete damaged checkpoints of a log that is complete without them.

    Args:
        location: Path or URL of the table.

    Returns:
        Whether the log was changed. If it is incomplete without a damaged checkpoint,
        nothing is deleted.
    """
    names = [path.rpartition("/")[2] for path in list_sizes(f"{location}/_delta_log")]
    commits = {int(m[1]) for m in map(_COMMIT.fullmatch, names) if m}
    found = {int(m[1]): name for name in names if (m := _CHECKPOINT.fullmatch(name))}
    damaged = {v for v, name in found.items() if not _is_readable(location, name)}
    starts = {-1, *found.keys() - damaged}
    newest = max(commits, default=0)
    if not any(commits >= {*range(start + 1, newest + 1)} for start in starts):
        return False
    removed = [found[version] for version in damaged]
    removed += [name for name in names if name == _HINT]  # may name a missing file
    file_system, base = resolve(location)
    for name in removed:
        logger.warning("%s: deleted %s, which is damaged or stale", location, name)
        file_system.rm_file(f"{base}/_delta_log/{name}")
    return bool(removed)


def _is_readable(location: str, name: str) -> bool:
    try:
        pq.read_table(pa.BufferReader(read_file(f"{location}/_delta_log/{name}")))
    except READ_ERRORS:
        return False
    return True
