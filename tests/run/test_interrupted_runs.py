import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from deltalake import DeltaTable
from factories import PROJECT, TABLES, by_path, read_table, write_files
from pipeline_runs import (
    BATCHES,
    GOOD_PHOTOS,
    NEW_PHOTOS,
    PHOTOS,
    KedroRun,
    PipelineRun,
    run_pipeline,
    sorted_rows,
    start_pipeline,
)

pytestmark = pytest.mark.system


def kill_pipeline(photos: Path, root: Path, conf: Path) -> None:
    """Start the pipeline in a new process, and kill it while it writes features."""
    process = start_pipeline(photos, root, conf)
    features = root / TABLES["features"]
    try:
        while process.poll() is None and not any(features.glob("batch=*")):
            time.sleep(0.002)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_killed_run_is_resumed(
    first_run: PipelineRun, kedro_run: KedroRun, tmp_path: Path
) -> None:
    shutil.copytree(PROJECT / "conf", tmp_path / "conf")
    settings = tmp_path / "conf/local/spark.yml"
    # Like the session of the tests, so that floats are summed in the same order.
    settings.write_text("spark.master: local[2,3]\n")
    root = tmp_path / "the root"
    kill_pipeline(first_run.photos, root, tmp_path / "conf")
    done = set(read_table(root, "features")["batch"].to_pylist())
    assert len(done) < BATCHES
    assert not (root / "06_models/pca.npz").exists()

    resumed = run_pipeline(kedro_run, first_run.photos, root)
    assert resumed.summary["batches_written"] == {
        **dict.fromkeys(TABLES, BATCHES),
        "photos": 0,
        "images": 0,
        "quality": 0,
        "features": BATCHES - len(done),
    }
    for table in TABLES:
        assert sorted_rows(root, table) == sorted_rows(first_run.root, table), table


def test_uncommitted_files_are_deleted_and_foreign_files_are_kept(
    copy: PipelineRun, kedro_run: KedroRun
) -> None:
    table = copy.root / TABLES["images"]
    uncommitted = f"batch=000004/part-00000{'-01234567' * 2}{'-0123456789abcdef' * 2}"
    spark = "part-00000-01234567-89ab-cdef-0123-456789abcdef"
    foreign = ["my photo.jpg", f"{spark}-c000.snappy", f"{spark}.c000", spark]
    foreign = [f"batch=000004/{name}.parquet" for name in foreign]
    write_files(table, dict.fromkeys([f"{uncommitted}.parquet", *foreign], b"-"))
    write_files(copy.photos, NEW_PHOTOS)
    run_pipeline(kedro_run, copy.photos, copy.root)
    assert not (table / f"{uncommitted}.parquet").exists()
    assert all((table / file).read_bytes() == b"-" for file in foreign)
    images = by_path(read_table(copy.root, "images"))
    assert images.keys() == PHOTOS.keys() | NEW_PHOTOS.keys()


def test_concurrent_runs_neither_lose_nor_duplicate_rows(
    kedro_run: KedroRun, tmp_path: Path
) -> None:
    photos = write_files(tmp_path / "photos", GOOD_PHOTOS)
    root = tmp_path / "root"
    tables = ("photos", "images", "features", "reduced")
    first = start_pipeline(photos, root)
    while first.poll() is None and not (root / TABLES["photos"]).exists():
        time.sleep(0.01)
    write_files(photos, NEW_PHOTOS)
    second = start_pipeline(photos, root)
    assert 0 in {first.wait(), second.wait()}

    # All committed rows are valid, and the next run adds the missing ones.
    for table in tables:
        if (root / TABLES[table]).exists():
            paths = by_path(read_table(root, table)).keys()
            assert paths <= {*GOOD_PHOTOS, *NEW_PHOTOS}, table
    run_pipeline(kedro_run, photos, root)
    for table in tables:
        paths = by_path(read_table(root, table)).keys()
        assert paths == {*GOOD_PHOTOS, *NEW_PHOTOS}, table


def test_incomplete_table_is_a_missing_output(
    copy: PipelineRun, kedro_run: KedroRun
) -> None:
    before = sorted_rows(copy.root, "features")
    DeltaTable(copy.root / TABLES["features"]).delete("batch = '000002'")
    result = kedro_run("--only-missing-outputs", **copy.parameters)
    assert result.exit_code == 0, result.output
    assert sorted_rows(copy.root, "features") == before
