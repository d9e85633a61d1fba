import re
from pathlib import Path

from pipeline_runs import SETTINGS, KedroRun, PipelineRun

REPORT = "08_reporting/report.html"


def test_page_shows_the_complete_summary(first_run: PipelineRun) -> None:
    page = (first_run.root / REPORT).read_text()
    rate = first_run.summary["photos_per_second"]
    speed = f"{rate:,.0f}" if rate >= 1 else f"{rate:.1f}"
    assert f"{speed} photos per second" in page
    assert "2 photos rejected" in page
    assert re.search(r'"paths":\["T', page)  # of the atlas


def test_path_of_the_page_is_the_last_line_of_a_run(
    copy: PipelineRun, kedro_run: KedroRun
) -> None:
    (copy.root / REPORT).unlink()
    result = kedro_run("--nodes", "count_labels", **copy.parameters)
    assert result.output.endswith(f"Report: {copy.root / REPORT}\n")
    assert (copy.root / REPORT).is_file()


def test_damaged_results_do_not_prevent_the_page(
    copy: PipelineRun, kedro_run: KedroRun
) -> None:
    for name in ("atlas.csv", "thumbnails.parquet", "photo_map.json"):
        (copy.root / "08_reporting" / name).write_bytes(b"\xff\0")
    result = kedro_run("--nodes", "count_labels", **copy.parameters)
    assert result.exit_code == 0, result.output
    page = (copy.root / REPORT).read_text()
    assert "There is no map yet" in page


def test_run_of_another_stage_prints_no_page(
    kedro_run: KedroRun, tmp_path: Path
) -> None:
    result = kedro_run("--pipelines", "sample", root=tmp_path, **SETTINGS)
    assert result.exit_code == 0, result.output
    assert "Report:" not in result.output
