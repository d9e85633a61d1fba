import json
import os
import shutil

import pytest
from factories import TABLES, by_path, fingerprints, read_table
from PIL import Image
from pipeline_runs import (
    PHOTOS,
    SETTINGS,
    KedroRun,
    PipelineRun,
    run_pipeline,
    sorted_rows,
)


@pytest.fixture(scope="module")
def second_run(
    first_run: PipelineRun,
    kedro_run: KedroRun,
    tmp_path_factory: pytest.TempPathFactory,
) -> PipelineRun:
    """Run again on the same listing.

    All bytes of the photos are zeros, so a photo that is fetched again is corrupt.
    """
    copy = first_run.copy(tmp_path_factory.mktemp("second run"))
    for path, content in PHOTOS.items():
        file, state = copy.photos / path, (copy.photos / path).stat()
        file.write_bytes(bytes(len(content)))
        os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    return run_pipeline(kedro_run, copy.photos, copy.root)


def modification_times(run: PipelineRun, folder: str) -> dict[str, int]:
    return {name: t for name, (_, t) in fingerprints(run.root / folder).items()}


def test_nothing_is_written(first_run: PipelineRun, second_run: PipelineRun) -> None:
    assert second_run.summary["batches_written"] == dict.fromkeys(TABLES, 0)
    assert second_run.embedded == 0
    for folder in (*TABLES.values(), "06_models"):
        before, after = (modification_times(r, folder) for r in (first_run, second_run))
        assert after == before


def test_nothing_is_fetched(second_run: PipelineRun) -> None:
    photos = by_path(read_table(second_run.root, "photos"))
    assert {path: row["content"] for path, row in photos.items()} == PHOTOS


def test_same_photos_are_reported(
    first_run: PipelineRun, second_run: PipelineRun
) -> None:
    changing = {"batches_written", "seconds", "photos_per_second", "new_photos"}
    changing |= {"run_id", "parameters", "cost"}
    same = {k: value for k, value in first_run.summary.items() if k not in changing}
    assert same.items() <= second_run.summary.items()
    assert second_run.summary["photos_per_second"] == 0


def test_numbers_of_the_last_run_with_new_photos_are_kept(
    first_run: PipelineRun, second_run: PipelineRun
) -> None:
    lines = (second_run.root / "08_reporting/run_history.jsonl").read_text()
    (recorded,) = map(json.loads, lines.splitlines())
    assert second_run.summary["last_run_with_new_photos"] == recorded
    assert recorded["new_photos"] == first_run.summary["features"]
    assert recorded["photos_per_second"] == first_run.summary["photos_per_second"] > 0
    assert "last_run_with_new_photos" not in first_run.summary


def test_run_of_the_report_alone_keeps_them(
    first_run: PipelineRun, copy: PipelineRun, kedro_run: KedroRun
) -> None:
    result = kedro_run("--pipelines", "report", **copy.parameters)
    assert result.exit_code == 0, result.output
    speed = first_run.summary["photos_per_second"]
    assert copy.summary["last_run_with_new_photos"]["photos_per_second"] == speed
    assert "Speed: no new photos; the run of" in result.output


def test_run_with_only_missing_outputs_keeps_the_summary(
    first_run: PipelineRun, copy: PipelineRun, kedro_run: KedroRun
) -> None:
    result = kedro_run("--only-missing-outputs", **copy.parameters)
    assert result.exit_code == 0, result.output
    assert copy.summary == first_run.summary


def test_single_stage_uses_stored_tables(
    first_run: PipelineRun, copy: PipelineRun, kedro_run: KedroRun
) -> None:
    shutil.rmtree(copy.photos)
    shutil.rmtree(copy.root / TABLES["features"])
    result = kedro_run("--pipelines", "featurize", root=copy.root, **SETTINGS)
    assert result.exit_code == 0, result.output
    expected = sorted_rows(first_run.root, "features")
    assert sorted_rows(copy.root, "features") == expected


def test_unchanged_figures_keep_the_id_of_the_run_that_drew_them(
    first_run: PipelineRun, second_run: PipelineRun
) -> None:
    assert second_run.summary["run_id"] > first_run.summary["run_id"]
    with Image.open(second_run.root / "08_reporting/class_sheet.png") as sheet:
        assert sheet.info["run_id"] == first_run.summary["run_id"]
