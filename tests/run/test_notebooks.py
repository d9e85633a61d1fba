"""The notebooks run from top to bottom, are stored without outputs, and state what works."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from factories import PROJECT, write_files
from pipeline_runs import GOOD_PHOTOS, PipelineRun

pytestmark = pytest.mark.system

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

NOTEBOOKS = sorted(PROJECT.glob("notebooks/*.ipynb"))
PICTURES = {"first_look": 3, "your_own_node": 2}
NAMES = [file.stem for file in NOTEBOOKS]
ROOT = 'ROOT = "data"'
NEW_STAGE = "src/fruits_pipeline/pipelines/backgrounds"


@pytest.mark.parametrize("file", NOTEBOOKS, ids=NAMES)
def test_notebook_is_stored_without_outputs(file: Path) -> None:
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    assert {*notebook.metadata} <= {"kernelspec", "language_info"}
    for cell in notebook.cells:
        assert not cell.metadata
        assert not cell.get("outputs") and not cell.get("execution_count")


def test_hook_rejects_only_notebooks_with_outputs() -> None:
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())
    (entry,) = (
        hook["entry"]
        for hook in hooks["repos"][0]["hooks"]
        if hook["id"] == "notebooks-without-outputs"
    )
    text = NOTEBOOKS[0].read_text()
    assert not re.search(entry, text, re.MULTILINE)
    for old, new in (
        ('"outputs": []', '"outputs": [\n    {"output_type": "stream"}\n   ]'),
        ('"outputs": []', '"outputs": [{"output_type": "stream"}]'),
        ('"execution_count": null', '"execution_count": 12'),
    ):
        lines = text.replace(old, new, 1).splitlines()
        assert any(re.search(entry, line) for line in lines)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=NAMES)
def test_notebook_runs_on_another_root(file: Path, first_run: PipelineRun) -> None:
    notebook = nbformat.read(file, as_version=4)
    (settings,) = (cell for cell in notebook.cells if cell.source.startswith(ROOT))
    settings.source = settings.source.replace(ROOT, f"ROOT = {str(first_run.root)!r}")
    resources = {"metadata": {"path": str(file.parent)}}
    nbclient.NotebookClient(notebook, timeout=120, resources=resources).execute()
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    pictures = [o for o in outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == PICTURES[file.stem]
    errors = "".join(o.text for o in outputs if o.get("name") == "stderr")
    assert "ERROR" not in errors, errors


def test_new_stage_runs_in_the_project(first_run: PipelineRun, tmp_path: Path) -> None:
    """Follow the last section of your_own_node.ipynb in a copy of the project."""
    (file,) = (file for file in NOTEBOOKS if file.stem == "your_own_node")
    cells = nbformat.read(file, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    imports, package = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (entry,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    project = _copy_project(tmp_path / "project")
    with (project / "conf/base/catalog.yml").open("a") as catalog:
        catalog.write(f"\n{re.sub('^   ', '', entry, flags=re.MULTILINE)}")
    sources = [cell.source for cell in cells if cell.source.startswith("# ")]
    modules = {s.partition("\n")[0][2:]: s for s in sources if ".py\n" in s}
    modules[f"{NEW_STAGE}/pipeline.py"] = imports + modules[f"{NEW_STAGE}/pipeline.py"]
    modules[f"{NEW_STAGE}/__init__.py"] = package.strip() + "\n"
    write_files(project, {path: s.encode() for path, s in modules.items()})
    root = shutil.copytree(first_run.root, tmp_path / "the root")
    _run_stage(project, f"photos={first_run.photos},root={root}")
    report = pd.read_csv(root / "08_reporting/backgrounds.csv")
    assert report["photos"].sum() == len(GOOD_PHOTOS)
    assert report["mean"].between(0, 1).all()


def _copy_project(project: Path) -> Path:
    for name in ("conf", "src"):
        shutil.copytree(PROJECT / name, project / name)
    shutil.copy(PROJECT / "pyproject.toml", project)
    return project


def _run_stage(project: Path, parameters: str) -> None:
    command = ["-m", "kedro", "run", "--pipelines", "backgrounds", "--params"]
    done = subprocess.run(
        [sys.executable, *command, parameters],
        cwd=project,
        env={**os.environ, "PYTHONPATH": f"{project}/src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
