from pathlib import Path

import pytest
from factories import write_files
from pipeline_runs import PHOTOS, KedroRun, PipelineRun, run_pipeline


@pytest.fixture(scope="session")
def first_run(
    kedro_run: KedroRun, tmp_path_factory: pytest.TempPathFactory
) -> PipelineRun:
    """Run the pipeline on `PHOTOS`. Tests must not change these folders."""
    folder = tmp_path_factory.mktemp("first run")
    photos = write_files(folder / "my photos", {**PHOTOS, "notes.txt": b"-"})
    return run_pipeline(kedro_run, photos, folder / "the root")


@pytest.fixture
def copy(first_run: PipelineRun, tmp_path: Path) -> PipelineRun:
    """Return a copy of the first run, which a test may change."""
    return first_run.copy(tmp_path)
