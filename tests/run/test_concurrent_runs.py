"""A second run on the same root, while another one holds its lease."""

import time
from pathlib import Path

import pytest
from factories import by_path, read_table, write_files
from pipeline_runs import (
    GOOD_PHOTOS,
    NEW_PHOTOS,
    KedroRun,
    error_message,
    run_pipeline,
    start_pipeline,
)

from fruits_pipeline.exit_codes import TRANSIENT

pytestmark = pytest.mark.system


def test_second_run_is_refused_or_waits(kedro_run: KedroRun, tmp_path: Path) -> None:
    photos = write_files(tmp_path / "photos", GOOD_PHOTOS)
    root = tmp_path / "root"
    first = start_pipeline(photos, root)
    while first.poll() is None and not (root / ".lease.json").exists():
        time.sleep(0.01)
    refused = error_message(kedro_run(photos=photos, root=root), TRANSIENT)
    assert f"(process {first.pid}, since" in refused
    assert "expected one run at a time" in refused

    write_files(photos, NEW_PHOTOS)
    run_pipeline(kedro_run, photos, root, concurrent_run="wait")
    assert first.wait() == 0
    assert not (root / ".lease.json").exists()
    for table in ("photos", "images", "features", "reduced"):
        paths = by_path(read_table(root, table)).keys()
        assert paths == {*GOOD_PHOTOS, *NEW_PHOTOS}, table
