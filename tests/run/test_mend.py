"""Repair damage of several files at once, with real runs."""

import json
import shutil
from pathlib import Path

import pytest
from factories import TABLES, by_path, read_table
from pipeline_runs import KedroRun, PipelineRun, error_message, sorted_rows

LOGS = sorted(TABLES)


def first_file(run: PipelineRun, table: str) -> Path:
    return sorted((run.root / TABLES[table]).glob("batch=000001/part-*"))[0]


def report_of(run: PipelineRun) -> dict[str, list[dict[str, str]]]:
    report: dict[str, list[dict[str, str]]] = json.loads(
        (run.root / "08_reporting/check.json").read_text()
    )
    return report


def mend(kedro_run: KedroRun, run: PipelineRun) -> str:
    """Repair the root, check that nothing is left to repair, and return the output."""
    mended = kedro_run("--pipelines", "mend", **run.parameters)
    assert mended.exit_code == 0, mended.output
    checked = kedro_run("--pipelines", "check", **run.parameters)
    assert checked.exit_code == 0, checked.output
    return mended.output


def test_check_of_an_intact_root_has_no_findings(
    copy: PipelineRun, kedro_run: KedroRun
) -> None:
    result = kedro_run("--pipelines", "check", **copy.parameters, check__contents=True)
    assert result.exit_code == 0, result.output
    report = report_of(copy)
    assert (report["findings"], report["notes"]) == ([], [])
    assert report["counts"] == {
        **{"files": 25, "left_out": 1, "not_ingested": 0, "gone": 0, "rejected": 2},
        **{
            "photos": 24,
            "images": 24,
            "quality": 22,
            "features": 22,
            "moments": 3,
            "reduced": 22,
        },
    }


def test_damaged_logs_models_and_reports_are_repaired(
    first_run: PipelineRun, copy: PipelineRun, kedro_run: KedroRun
) -> None:
    logs = {t: copy.root / TABLES[t] / "_delta_log" for t in LOGS}
    shutil.rmtree(logs["photos"])
    for file in logs["images"].iterdir():
        file.write_bytes(b"{")
    shutil.rmtree(copy.root / TABLES["features"])
    (copy.root / "08_reporting/class_sheet.png").write_bytes(b"PNG")
    (copy.root / "06_models/pca.npz").write_bytes(b"")
    wheres = error_message(kedro_run("--pipelines", "check", **copy.parameters))
    for name in ("photos", "images", "features", "pca", "report class_sheet.png"):
        assert f" {name}: found " in wheres
    mend(kedro_run, copy)
    for name in TABLES:
        assert sorted_rows(copy.root, name) == sorted_rows(first_run.root, name), name


def test_lost_photo_that_no_longer_exists_ends_in_all_tables(
    copy: PipelineRun, kedro_run: KedroRun
) -> None:
    file = first_file(copy, "photos")
    gone = min(by_path(read_table(copy.root, "photos")))
    file.unlink()
    (copy.photos / gone).unlink()
    assert f"'{gone}'" in " ".join(mend(kedro_run, copy).split())
    for table in ("photos", "images", "features", "reduced"):
        rows = by_path(read_table(copy.root, table))
        assert gone not in rows
        assert len(rows) == {"photos": 23, "images": 23}.get(table, 21)


@pytest.mark.parametrize("table", ["images"])
def test_copies_are_reported_and_kept(
    copy: PipelineRun, kedro_run: KedroRun, table: str
) -> None:
    file = first_file(copy, table)
    copies = [file.with_name(f"{file.stem} (copy).parquet"), file.parent / "mine.txt"]
    for path in copies:
        shutil.copy(file, path)
    assert kedro_run(**copy.parameters).exit_code == 0
    assert kedro_run("--pipelines", "check", **copy.parameters).exit_code == 0
    (note,) = report_of(copy)["notes"]
    assert note["where"] == table
    assert note["found"].startswith("2 files of other programs or copies")
    assert all(path.exists() for path in copies)
