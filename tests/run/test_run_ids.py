import json
import re
from pathlib import Path
from typing import Any

from deltalake import DeltaTable
from factories import TABLES
from PIL import Image
from pipeline_runs import SETTINGS, PipelineRun

SHEETS, FIGURES = ("class_sheet", "reject_sheet"), ("variance_curve", "photo_map")


def read_history(root: Path) -> list[dict[str, Any]]:
    text = (root / "08_reporting/run_history.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_all_results_have_the_id_of_their_run(first_run: PipelineRun) -> None:
    run_id, reports = first_run.summary["run_id"], first_run.root / "08_reporting"
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", run_id)
    (recorded,) = read_history(first_run.root)
    assert recorded["run_id"] == run_id
    for folder in TABLES.values():
        history = DeltaTable(str(first_run.root / folder)).history()
        assert {commit["fruits.run"] for commit in history} == {run_id}
    for name in SHEETS:
        with Image.open(reports / f"{name}.png") as sheet:
            assert sheet.info["run_id"] == run_id
    for name in FIGURES:
        figure = json.loads((reports / f"{name}.json").read_text())
        assert figure["layout"]["meta"] == {"run_id": run_id}
    assert f"<code>{run_id}</code>" in (reports / "report.html").read_text()


def test_parameters_are_recorded(first_run: PipelineRun) -> None:
    expected = {name.replace("__", "."): value for name, value in SETTINGS.items()}
    expected |= {"photos": str(first_run.photos), "root": str(first_run.root)}
    assert expected.items() <= first_run.summary["parameters"].items()
    (recorded,) = read_history(first_run.root)
    assert recorded["parameters"] == first_run.summary["parameters"]


def test_run_outside_aws_states_what_it_used_and_why_its_price_is_unknown(
    first_run: PipelineRun,
) -> None:
    cost = first_run.summary["cost"]
    assert cost["seconds"] >= sum(first_run.summary["seconds"].values()) - 1
    assert cost["requests"] == cost["requests_estimated"] == {"writes": 0, "reads": 0}
    assert cost["total_usd"] is None
    assert "not an EC2 instance" in cost["reason"]
