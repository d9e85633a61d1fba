"""Combine the batches of many small runs, and run again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from factories import TABLES, fingerprints, jpeg, read_table, write_files
from pipeline_runs import (
    NEW_PHOTOS,
    KedroRun,
    PipelineRun,
    error_message,
    run_pipeline,
    sorted_rows,
)

from fruits_pipeline.datasets.delta.compaction import Groups, combine_batches
from fruits_pipeline.datasets.delta.writer import TableWriter

NIGHTS = 4
REFIT = {"reduce__refit": "always"}
LARGE = {"ingest__photos_per_batch": 100, "reduce__refit": "never"}


@pytest.fixture(scope="module")
def nightly(
    kedro_run: KedroRun,
    first_run: PipelineRun,
    tmp_path_factory: pytest.TempPathFactory,
) -> PipelineRun:
    """Return a root with a small batch of each of several runs. Do not change it."""
    run = first_run.copy(tmp_path_factory.mktemp("nightly"))
    for night in range(NIGHTS):
        names = {
            f"Training/Fig/{night}_{i}.jpg": jpeg(300 + 9 * night + i) for i in (0, 1)
        }
        write_files(run.photos, names)
        run_pipeline(kedro_run, run.photos, run.root, **LARGE)
    return run


@pytest.fixture
def root(nightly: PipelineRun, tmp_path: Path) -> PipelineRun:
    return nightly.copy(tmp_path)


def tidy(kedro_run: KedroRun, run: PipelineRun, **parameters: object) -> str:
    changed = run.parameters | LARGE | parameters
    result = kedro_run("--pipelines", "tidy", **changed)
    assert result.exit_code == 0, result.output
    return result.output


def check(kedro_run: KedroRun, run: PipelineRun) -> None:
    result = kedro_run("--pipelines", "check", **run.parameters | LARGE)
    assert result.exit_code == 0, result.output


def rows_without_batch(run: PipelineRun, table: str) -> list[dict[str, object]]:
    rows = sorted_rows(run.root, table)
    return [{name: row[name] for name in row if name != "batch"} for row in rows]


def batches_of(run: PipelineRun, table: str) -> set[str]:
    return {*read_table(run.root, table)["batch"].to_pylist()}


def test_rows_stay_and_no_photo_is_read_again(
    root: PipelineRun, kedro_run: KedroRun
) -> None:
    tables = [table for table in TABLES if table != "moments"]
    before = {table: rows_without_batch(root, table) for table in tables}
    pca = (root.root / "06_models/pca.npz").read_bytes()
    assert len(batches_of(root, "images")) == 3 + NIGHTS
    output = tidy(kedro_run, root)
    assert "Combining" in output
    for table in TABLES:  # photos of the PCA, others, and new ones
        assert batches_of(root, table) == {"000001", "000004", "000007"}, table
    assert {table: rows_without_batch(root, table) for table in tables} == before
    check(kedro_run, root)

    again = run_pipeline(kedro_run, root.photos, root.root, **LARGE)
    assert (again.decoded, again.embedded) == (0, 0)
    assert set(again.summary["batches_written"].values()) == {0}
    assert (root.root / "06_models/pca.npz").read_bytes() == pca
    check(kedro_run, root)


def test_tidying_twice_changes_nothing(root: PipelineRun, kedro_run: KedroRun) -> None:
    tidy(kedro_run, root)
    before = fingerprints(root.root)
    tidy(kedro_run, root)
    assert fingerprints(root.root) == before


def test_new_photos_after_tidying(root: PipelineRun, kedro_run: KedroRun) -> None:
    tidy(kedro_run, root, tidy__keep_days=0)
    write_files(root.photos, NEW_PHOTOS)
    (root.photos / "Training/Fig/0_0.jpg").write_bytes(jpeg(999))
    more = run_pipeline(kedro_run, root.photos, root.root, **LARGE)
    assert more.decoded == len(NEW_PHOTOS) + 1
    assert batches_of(root, "photos") == {"000001", "000004", "000007", "000008"}
    changes = json.loads((root.root / "08_reporting/batch_changes.json").read_text())
    assert changes["new_batches"] == ["000008"]
    check(kedro_run, root)
    tidy(kedro_run, root, tidy__keep_days=0)
    check(kedro_run, root)


def test_vectors_after_a_refit_are_those_without_tidying(
    nightly: PipelineRun, root: PipelineRun, kedro_run: KedroRun, tmp_path: Path
) -> None:
    tidy(kedro_run, root)
    other = nightly.copy(tmp_path / "other")
    for run in (root, other):
        run_pipeline(kedro_run, run.photos, run.root, **LARGE | REFIT)
    found, expected = (sorted_rows(run.root, "reduced") for run in (root, other))
    for row, wanted in zip(found, expected, strict=True):
        assert row["path"] == wanted["path"]
        np.testing.assert_allclose(row["components"], wanted["components"], atol=1e-3)


def test_killed_tidying_is_continued_by_a_run(
    root: PipelineRun, kedro_run: KedroRun, monkeypatch: pytest.MonkeyPatch
) -> None:

    def fail_at_features(
        writer: TableWriter, groups: Groups, schema: pa.Schema
    ) -> None:
        if writer.log.location.endswith("features"):
            raise RuntimeError("killed")
        combine_batches(writer, groups, schema)

    with monkeypatch.context() as patch:
        patch.setattr(
            "fruits_pipeline.datasets.delta.tidying.combine_batches", fail_at_features
        )
        changed = root.parameters | LARGE
        assert kedro_run("--pipelines", "tidy", **changed).exit_code == 1
    assert len(batches_of(root, "images")) == 3
    assert len(batches_of(root, "features")) == 3 + NIGHTS
    again = run_pipeline(kedro_run, root.photos, root.root, **LARGE)
    assert (again.decoded, again.embedded) == (0, 0)
    assert set(again.summary["batches_written"].values()) == {0}
    assert batches_of(root, "moments") == {"000001", "000004", "000007"}
    check(kedro_run, root)


def test_root_without_tables_is_refused(kedro_run: KedroRun, tmp_path: Path) -> None:
    result = kedro_run("--pipelines", "tidy", photos=tmp_path, root=tmp_path / "root")
    assert "Found no tables of this project below" in error_message(result)


@pytest.mark.parametrize("is_tidied_first", [False, True])
def test_batches_without_content_are_combined(
    root: PipelineRun, kedro_run: KedroRun, is_tidied_first: bool
) -> None:
    """Only some photos have no content, and the age of combined batches is kept."""
    removal = LARGE | {"retention__content_days": 0}
    if is_tidied_first:
        tidy(kedro_run, root)
    removed = run_pipeline(kedro_run, root.photos, root.root, **removal)
    without_content = removed.summary["without_content"]
    assert without_content == removed.summary["features"]
    write_files(root.photos, NEW_PHOTOS)
    run_pipeline(kedro_run, root.photos, root.root, **LARGE)
    before = {t: rows_without_batch(root, t) for t in ("photos", "images", "reduced")}
    tidy(kedro_run, root, tidy__keep_days=0)
    assert {table: rows_without_batch(root, table) for table in before} == before
    check(kedro_run, root)
    again = run_pipeline(kedro_run, root.photos, root.root, **LARGE)
    assert (again.decoded, again.embedded) == (0, 0)
    assert set(again.summary["batches_written"].values()) == {0}
    assert again.summary["without_content"] == without_content
    check(kedro_run, root)
