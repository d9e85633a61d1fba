import json
import os
import subprocess
import sys
from pathlib import Path

import poison
import pytest
from factories import PROJECT, jpeg, write_files

pytestmark = pytest.mark.system

FOLDERS = ("src", "tests", "tests/chaos/poisoned_decoder")


def run_kedro(*parameters: str) -> subprocess.CompletedProcess[str]:
    """Run the pipeline with a JSON log, and a decoder that fails for poison photos."""
    path = os.pathsep.join(str(PROJECT / folder) for folder in FOLDERS)
    options = ["--params", ",".join([*parameters, "log_format=json"])]
    return subprocess.run(
        [sys.executable, "-m", "kedro", "run", *options],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_lines_of_a_run_are_objects_with_its_id(tmp_path: Path) -> None:
    good = {f"Kiwi/{n}.jpg": jpeg(n) for n in range(4)}
    poisoned = {"Kiwi/bad.jpg": poison.photo("error")}
    photos, root = write_files(tmp_path / "photos", good | poisoned), tmp_path / "root"
    done = run_kedro(f"photos={photos}", f"root={root}", "preprocess.max_error_rate=1")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    summary = json.loads((root / "08_reporting/run_summary.json").read_text())
    assert {line["run_id"] for line in lines} == {summary["run_id"]}
    messages = [line["message"] for line in lines]
    assert any(message.startswith("Run summary: 5 photos") for message in messages)
    assert any(f"root={root}" in message for message in messages)
    (worker,) = (line for line in lines if "was rejected for a" in line["message"])
    assert "LookupError: no such\nband" in worker["exception"]


def test_errors_are_objects(tmp_path: Path) -> None:
    done = run_kedro(f"photos={tmp_path}/gone", f"root={tmp_path}/root")
    assert done.returncode == 2
    assert done.stdout == ""
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines[-1]["level"] == "ERROR"
    assert lines[-1]["message"].startswith("Found no such photo folder")
    assert "exception" not in lines[-1]


def test_wrong_parameters_are_objects() -> None:
    done = run_kedro("reduce.variance=2")
    assert done.returncode == 2
    (line,) = map(json.loads, done.stderr.splitlines())
    assert "reduce.variance: found 2" in line["message"]
