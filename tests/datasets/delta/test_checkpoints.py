"""Checkpoints of logs with many commits."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from delta_batches import log_of, photo_row
from factories import record_batch

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaBatches, DeltaSpark, TableState
from fruits_pipeline.datasets.delta import checkpoints
from fruits_pipeline.datasets.delta.files import DataFile
from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.tables import create_table, open_table
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import Lineage
from fruits_pipeline.spark.parquet import write_rows

COMMITS = 25
DAY = 24 * 60 * 60


def write_batches(writer: TableWriter, first: int, last: int) -> None:
    """Commit batches of one photo each."""
    location = writer.log.location
    for number in range(first, last + 1):
        name = f"{number:06d}"
        rows = iter([record_batch([photo_row(f"photo {number}")], schemas.IMAGES)])
        (report,) = write_rows(rows, f"{location}/batch={name}", schemas.IMAGES)
        (values,) = report.to_pylist()
        writer.commit([DataFile.from_write_report(name, values)])


@pytest.fixture(scope="module")
def long_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table of many commits. Tests must not change it."""
    folder = tmp_path_factory.mktemp("long") / "images"
    writer = create_table(str(folder), schemas.IMAGES, {"photos": "x"}, [], None)
    write_batches(writer, 1, COMMITS)
    return folder


@pytest.fixture
def table(long_table: Path, tmp_path: Path) -> DeltaBatches:
    shutil.copytree(long_table, tmp_path / "images")
    return DeltaBatches(filepath=str(tmp_path / "images"), table="images")


def log_files(table: DeltaBatches, pattern: str = "*") -> list[Path]:
    return sorted(Path(table.filepath, "_delta_log").glob(pattern))


def newest_checkpoint(table: DeltaBatches) -> Path:
    return log_files(table, "*.checkpoint.parquet")[-1]


def delete_commits_of_checkpoint(table: DeltaBatches) -> None:
    """Delete the commits that the newest checkpoint replaces, and older checkpoints."""
    newest = newest_checkpoint(table).name[:20]
    for file in log_files(table, "0*"):
        if file.name[:20] < newest or file.name == f"{newest}.json":
            file.unlink()


def content(log: DeltaLog) -> Mapping[str, Any]:
    names = ("version_id", "properties", "columns", "writer", "last_batch", "batches")
    return {name: getattr(log, name) for name in names}


def test_log_is_the_same_with_and_without_checkpoints(table: DeltaBatches) -> None:
    with_checkpoints = content(log_of(table))
    assert len(log_files(table, "*.checkpoint.parquet")) == 2
    for file in log_files(table, "*checkpoint*"):
        file.unlink()
    assert content(log_of(table)) == with_checkpoints


def test_opening_reads_only_the_newest_checkpoint_and_later_commits(
    table: DeltaBatches,
) -> None:
    expected = content(log_of(table))
    delete_commits_of_checkpoint(table)
    assert len(log_files(table, "*.json")) < checkpoints.MIN_COMMITS
    assert content(log_of(table)) == expected


def test_other_readers_see_the_same_rows_from_a_checkpoint(
    table: DeltaBatches, spark: object
) -> None:
    delete_commits_of_checkpoint(table)
    expected = [f"photo {number}" for number in range(1, COMMITS + 1)]
    in_polars = pl.read_delta(table.filepath)["photo_id"].to_list()
    frame = DeltaSpark(filepath=table.filepath, table="images").load()
    in_spark = [row.photo_id for row in frame.select("photo_id").collect()]
    assert sorted(in_polars) == sorted(in_spark) == sorted(expected)


def test_commits_do_not_read_the_files_of_the_table_again(
    table: DeltaBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = TableWriter(log_of(table))
    writer.claim()
    _ = writer.log.batches
    monkeypatch.setattr(DeltaLog, "_read_batches", lambda _: pytest.fail("read again"))
    write_batches(writer, COMMITS + 1, COMMITS + 12)
    batches = writer.log.batches
    monkeypatch.undo()
    assert batches == log_of(table).batches


def test_batches_are_current_after_files_were_replaced(table: DeltaBatches) -> None:
    writer = TableWriter(log_of(table))
    writer.claim()
    (removed,), kept = writer.log.batches["000003"], writer.log.batches["000004"]
    write_batches(writer, 5, 5)  # a second file of this batch
    writer.commit(removed=[removed])
    batches = writer.log.batches
    assert "000003" not in batches
    assert batches["000004"] == kept
    assert len(batches["000005"]) == 2
    assert batches == log_of(table).batches


def test_large_tables_get_a_checkpoint_less_often(
    table: DeltaBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        checkpoints, "FILES_PER_COMMIT", 1
    )  # interval: 26 files or more
    before = len(log_files(table, "*.checkpoint.parquet"))
    writer = TableWriter(log_of(table))
    writer.claim()
    write_batches(writer, COMMITS + 1, COMMITS + 12)
    added = len(log_files(table, "*.checkpoint.parquet")) - before
    assert added <= 1


def test_only_expired_files_of_the_log_are_deleted(table: DeltaBatches) -> None:
    old = time.time() - 31 * DAY
    for file in log_files(table, "0*"):
        if int(file.name[:20]) < 15:
            os.utime(file, (old, old))
    expected = log_of(table)
    checkpoints.write_checkpoint(expected)
    # Commits after the newest expired checkpoint are kept, whether expired or not.
    assert min(int(file.name[:20]) for file in log_files(table, "0*")) == 9
    assert content(log_of(table)) == content(expected)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize("damage", [truncate, Path.unlink])
def test_damaged_checkpoint_is_reported(table: DeltaBatches, damage: Any) -> None:
    delete_commits_of_checkpoint(table)
    damage(newest_checkpoint(table))
    with pytest.raises(FruitsError, match=r"_delta_log damaged .* `make mend`"):
        open_table(table.filepath)
    state = TableState(filepath=table.filepath, table="images").load()
    assert "_delta_log damaged" in str(state.problem)
    assert not state.exists


@pytest.mark.parametrize("damage", [truncate, Path.unlink])
def test_mending_keeps_a_log_that_is_complete_without_its_checkpoint(
    table: DeltaBatches, damage: Any
) -> None:
    expected = content(log_of(table))
    damage(newest_checkpoint(table))
    table.restore(Lineage(), None)
    assert content(open_table(table.filepath)) == expected


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("damage", [truncate, Path.unlink])
def test_mending_adopts_the_files_of_a_log_that_needs_its_checkpoint(
    table: DeltaBatches, damage: Any
) -> None:
    expected = log_of(table)
    delete_commits_of_checkpoint(table)
    damage(newest_checkpoint(table))
    table.restore(Lineage({"photos": "x"}), expected.table_id)
    restored = open_table(table.filepath)
    assert restored.table_id == expected.table_id
    assert restored.batches == expected.batches


def test_hint_at_a_missing_checkpoint_is_discarded(table: DeltaBatches) -> None:
    expected = content(log_of(table))
    (hint,) = log_files(table, "_last_checkpoint")
    hint.write_text('{"version": 99, "size": 1}')
    assert checkpoints.discard_damaged_checkpoints(table.filepath)
    assert not hint.exists()
    assert content(open_table(table.filepath)) == expected
