"""Combine the small batches of all tables, and delete what is not needed any more."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from delta_batches import (
    batches,
    data_files,
    fail_if_computed,
    log_of,
    stored_ids,
)
from deltalake import DeltaTable
from kedro.io import DatasetError

from fruits_pipeline import schemas
from fruits_pipeline.datasets import (
    DeltaBatches,
    DeltaMoments,
    DeltaPandas,
    DeltaSpark,
    TidyPlan,
    TidyResult,
    TidyTable,
)
from fruits_pipeline.datasets.delta import compaction
from fruits_pipeline.datasets.delta.comparison import (
    UpstreamDifference,
    batches_that_differ,
    compare_with_upstream,
)
from fruits_pipeline.datasets.delta.erasure import purge
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.models.moments import Moments, merge_all

pytestmark = pytest.mark.usefixtures("spark")

IDS = {
    "000001": ["a", "b"],
    "000002": ["c!"],
    "000003": ["d"],
    "000005": ["e", "f!"],
}
PLAN = TidyPlan({"000001": ["000001", "000002", "000003"]}, keep_days=7)
COMBINED = {"000001": ["a", "b", "c!", "d"], "000005": ["e", "f!"]}
READABLE = {"000001": ["a", "b", "d"], "000005": ["e"]}
DAY = 24 * 60 * 60

Tables = dict[str, DeltaBatches]
Save = Callable[[], None]


@pytest.fixture
def tables(
    photos: DeltaBatches,
    images: DeltaBatches,
    features: DeltaBatches,
    moments: DeltaBatches,
    save_all: Save,
) -> Tables:
    """Return tables of small batches."""
    photos.save(batches(IDS, schemas.PHOTOS))
    save_all()
    return {
        "photos": photos,
        "images": images,
        "features": features,
        "moments": moments,
    }


def tidy(tables: Tables, plan: TidyPlan = PLAN, *names: str) -> dict[str, TidyResult]:
    """Tidy tables, by default all of them, in the order of a run."""
    results, above = {}, None
    for name, table in tables.items():
        upstream = {"path": above} if above else None
        tidied = TidyTable(filepath=table.filepath, table=name, upstream=upstream)
        above = table.filepath
        if not names or name in names:
            tidied.save(plan)
            results[name] = tidied.load()
    return results


def assert_combined(tables: Tables) -> None:
    assert stored_ids(tables["photos"]) == stored_ids(tables["images"]) == COMBINED
    assert stored_ids(tables["features"]) == READABLE
    rows = DeltaTable(tables["moments"].filepath).to_pyarrow_table().sort_by("batch")
    assert rows["batch"].to_pylist() == ["000001", "000005"]
    assert rows["n"].to_pylist() == [3, 1]
    for name, upstream in zip([*tables][1:], [*tables], strict=False):
        logs = log_of(tables[name]), log_of(tables[upstream])
        assert compare_with_upstream(*logs) == UpstreamDifference()
        assert batches_that_differ(*logs) == []


def rows_of(table: DeltaBatches) -> list[dict[str, object]]:
    """Return all rows but for their batch, as read by `deltalake` alone."""
    rows = DeltaTable(table.filepath).to_pyarrow_table().drop_columns(["batch"])
    return [*rows.sort_by("path").to_pylist()]


def test_all_tables_are_combined_in_the_same_way(tables: Tables) -> None:
    before = {name: rows_of(tables[name]) for name in ("photos", "images", "features")}
    results = tidy(tables)
    assert_combined(tables)
    assert {name: rows_of(tables[name]) for name in before} == before
    for name, result in results.items():
        assert (result.table, result.batches) == (name, (4, 2))
        assert result.files == (4, 2)
        assert result.kept_bytes > 0


def run_without_computing(tables: Tables) -> None:
    """Save all tables but the first, as a run does; fail if a batch is computed."""
    for name, upstream in zip([*tables][1:], [*tables], strict=False):
        names = tables[upstream].load()
        tables[name].save(dict.fromkeys(names, fail_if_computed))
        assert tables[name].saved.batches == ()


def test_a_later_run_computes_nothing(tables: Tables) -> None:
    tidy(tables)
    versions = {name: log_of(table).version_id for name, table in tables.items()}
    run_without_computing(tables)
    assert {n: log_of(table).version_id for n, table in tables.items()} == versions


def test_new_batches_get_new_numbers(tables: Tables, save_all: Save) -> None:
    tidy(tables, replace(PLAN, groups={"000003": ["000003", "000005"]}))
    assert log_of(tables["photos"]).last_batch == 5
    tables["photos"].save(batches({"000006": ["g"]}, schemas.PHOTOS))
    save_all()
    assert [*log_of(tables["moments"]).batches] == [
        "000001",
        "000002",
        "000003",
        "000006",
    ]
    assert log_of(tables["photos"]).new_batches == ["000006"]


def test_lineage_and_identity_of_tables_stay(tables: Tables) -> None:
    def identity(table: DeltaBatches) -> tuple[object, ...]:
        log = log_of(table)
        return log.table_id, log.recipe, log.source_ids, log.last_batch, log.new_batches

    photos = tables["photos"]
    before = {name: identity(table)[:4] for name, table in tables.items()}
    tidy(tables)
    assert {name: identity(table)[:4] for name, table in tables.items()} == before
    assert log_of(photos).new_batches == [*COMBINED]


def moments_of_batches(moments: DeltaBatches) -> dict[str, Moments]:
    tree = DeltaMoments(filepath=moments.filepath, table="moments").load()
    return {name: tree.total([name]) for name in tree.names}


def test_combined_moments_are_those_of_their_batches(tables: Tables) -> None:
    before = moments_of_batches(tables["moments"])
    tidy(tables)
    found = moments_of_batches(tables["moments"])["000001"]
    expected = merge_all(before[name] for name in ("000001", "000002", "000003"))
    assert found.n == expected.n == 3
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.comoment, expected.comoment)


def test_files_of_combined_batches_are_as_large_as_parts(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "PART_ROWS", 3)
    tidy(tables, PLAN, "photos")
    files = log_of(tables["photos"]).batches["000001"]
    assert [file.rows for file in files] == [3, 1]
    monkeypatch.setattr(compaction, "PART_BYTES", 1)
    tidy(tables, PLAN, "images")
    assert [f.rows for f in log_of(tables["images"]).batches["000001"]] == [2, 1, 1]


def test_tidying_again_changes_nothing(tables: Tables) -> None:
    tidy(tables)
    files = {name: sorted(Path(t.filepath).rglob("*")) for name, t in tables.items()}
    results = tidy(tables, replace(PLAN, groups={}))
    assert {n: sorted(Path(t.filepath).rglob("*")) for n, t in tables.items()} == files
    assert all(result.batches == (2, 2) for result in results.values())
    assert all(result.freed_bytes == 0 for result in results.values())


@pytest.mark.parametrize("tables_done", [1, 2, 3])
def test_interrupted_tidying_continues(tables: Tables, tables_done: int) -> None:
    tidy(tables, PLAN, *[*tables][:tables_done])
    tidy(tables, replace(PLAN, groups={}))
    assert_combined(tables)


@pytest.mark.parametrize("tables_done", [1, 2, 3])
def test_run_after_interrupted_tidying_computes_nothing(
    tables: Tables, tables_done: int
) -> None:
    tidy(tables, PLAN, *[*tables][:tables_done])
    run_without_computing(tables)
    assert_combined(tables)


def test_changed_photos_are_not_mistaken_for_combined_batches(
    tables: Tables, save_all: Save
) -> None:
    tidy(tables, PLAN, "photos")
    tables["photos"].save(batches({"000006": ["d*"]}, schemas.PHOTOS))
    save_all()
    expected = {"000001": ["a", "b"], "000005": ["e"], "000006": ["d*"]}
    assert stored_ids(tables["features"]) == expected


def test_files_written_before_a_kill_are_deleted(tables: Tables) -> None:
    photos = tables["photos"]
    expected = stored_ids(photos)
    (file, *_) = data_files(photos)
    orphan = f"part-00000{'-01234567' * 2}{'-0123456789abcdef' * 2}.parquet"
    file.with_name(orphan).write_bytes(file.read_bytes())
    result = tidy(tables, TidyPlan(), "photos")["photos"]
    assert not file.with_name(orphan).exists()
    assert result.freed_bytes >= file.stat().st_size
    assert stored_ids(photos) == expected


def test_run_that_began_before_fails_and_changes_nothing(tables: Tables) -> None:
    features = tables["features"]
    run = TableWriter(log_of(features))
    run.claim()
    files = log_of(features).batches["000005"]
    tidy(tables)
    with pytest.raises(Exception, match="another run has begun to write"):
        run.commit(removed=files)
    planned = TableWriter(log_of(features))
    tidy(tables, replace(PLAN, groups={"000001": ["000001", "000005"]}))
    with pytest.raises(Exception, match="another run has begun to write"):
        planned.claim()


def test_plan_for_other_batches_is_refused(tables: Tables) -> None:
    plan = TidyPlan({"000001": ["000001", "000004"]})
    with pytest.raises(DatasetError, match="another run has begun to write"):
        tidy(tables, plan, "photos")


def test_readers_of_the_version_before_can_finish(
    tables: Tables, save_all: Save
) -> None:
    before = DeltaTable(tables["images"].filepath)
    frame = DeltaSpark(filepath=tables["images"].filepath, table="images").load()
    tidy(tables)
    # Also after a run with new photos, which deletes the files that it has replaced.
    tables["photos"].save(batches({"000006": ["a*"]}, schemas.PHOTOS))
    save_all()
    assert before.to_pyarrow_table().num_rows == 6
    assert frame.count() == 6


def age(table: DeltaBatches, days: int) -> Iterator[Path]:
    """Make all files and all entries of the log older."""
    for file in sorted(Path(table.filepath, "_delta_log").glob("*")):
        old = file.stat().st_mtime - days * DAY
        os.utime(file, (old, old))
        yield file


def test_files_and_logs_are_deleted_when_they_expire(tables: Tables) -> None:
    photos = tables["photos"]
    expected, files = stored_ids(photos), [*data_files(photos)]
    tidy(tables, PLAN, "photos")
    assert {*files} < {*data_files(photos)}
    time.sleep(0.01)
    commits = [file for file in age(photos, 8) if file.suffix == ".json"]
    result = tidy(tables, TidyPlan(keep_days=0), "photos")["photos"]
    assert not {*files[:3]} & {*data_files(photos)}
    assert len(data_files(photos)) == 2
    assert sum(not file.exists() for file in commits) >= 3
    assert result.freed_bytes > 0
    assert result.kept_bytes == 0
    assert {i for ids in stored_ids(photos).values() for i in ids} == {
        i for ids in expected.values() for i in ids
    }
    DeltaPandas(filepath=photos.filepath, table="photos").load()


def test_erasure_does_not_wait_for_readers(tables: Tables) -> None:
    tidy(tables)
    for table in tables.values():
        purge(table.filepath)
        assert len(data_files(table)) == 2


def test_batch_with_files_of_another_program_is_not_combined(tables: Tables) -> None:
    photos = tables["photos"]
    (file,) = data_files(photos, "000002")
    log = log_of(photos)
    (listed,) = log.batches["000002"]
    other = "batch=000002/part-0-other.parquet"
    file.with_name("part-0-other.parquet").write_bytes(file.read_bytes())
    writer = TableWriter(log)
    writer.claim()
    writer.commit([replace(listed, path=other)], [listed])
    tidy(tables, PLAN, "photos")
    assert {*log_of(photos).batches} == {*IDS}


def test_table_that_does_not_exist_is_skipped(tmp_path: Path) -> None:
    tidied = TidyTable(filepath=str(tmp_path / "images"), table="images")
    tidied.save(PLAN)
    assert tidied.load() == TidyResult("images")


def test_combined_files_have_the_columns_of_the_table(tables: Tables) -> None:
    tidy(tables)
    for name, table in tables.items():
        for file in log_of(table).files:
            stored = pq.read_schema(f"{table.filepath}/{file.path}")
            assert stored.names == getattr(schemas, name.upper()).names
