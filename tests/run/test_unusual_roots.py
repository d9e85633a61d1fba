"""Roots that belong to another program, are missing, or have lost their photos."""

from pathlib import Path

import pytest
from factories import TABLES, write_files
from pipeline_runs import KedroRun, PipelineRun, error_message, sorted_rows

NO_TABLES = "Found no tables of this project below"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "Found 06_models/pca.npz, 08_reporting/rejects.csv in"),
        (["--pipelines", "classify"], "Found 06_models/classifier.npz in"),
        (["--pipelines", "mend"], NO_TABLES),
    ],
)
def test_root_of_another_program_is_refused_and_unchanged(
    kedro_run: KedroRun, tmp_path: Path, arguments: list[str], expected: str
) -> None:
    names = ["06_models/pca.npz", "08_reporting/rejects.csv", "my notes.txt"]
    if "classify" in arguments:
        names = ["06_models/classifier.npz"]
    root = write_files(tmp_path / "the root", dict.fromkeys(names, b"mine"))
    found = error_message(kedro_run(*arguments, photos=tmp_path, root=root))
    assert expected in found
    stored = {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }
    assert stored == dict.fromkeys(names, b"mine")


def test_missing_root_is_reported_and_not_created(
    kedro_run: KedroRun, tmp_path: Path
) -> None:
    root = tmp_path / "typo/root"
    result = kedro_run("--pipelines", "check", photos=tmp_path, root=root)
    assert f"{NO_TABLES} {root}; expected" in error_message(result)
    assert not root.parent.exists()


def test_tables_are_checked_and_repaired_without_photos(
    first_run: PipelineRun, copy: PipelineRun, kedro_run: KedroRun
) -> None:
    moved = copy.photos.rename(copy.photos.with_name("moved"))
    next((copy.root / TABLES["images"]).glob("batch=000001/part-*")).unlink()
    checked = kedro_run("--pipelines", "check", **copy.parameters)
    assert "Found 1 defect: images, batch 000001" in error_message(checked)
    assert "photo root: found no such photo folder" in " ".join(checked.output.split())
    copy.photos.mkdir()
    mended = kedro_run("--pipelines", "mend", **copy.parameters)
    assert mended.exit_code == 0, mended.output
    assert sorted_rows(copy.root, "images") == sorted_rows(first_run.root, "images")
    next((copy.root / TABLES["photos"]).glob("batch=000001/part-*")).unlink()
    message = error_message(kedro_run("--pipelines", "mend", **copy.parameters))
    assert "Found an empty photo folder" in message
    copy.photos.rmdir()
    moved.rename(copy.photos)
    assert kedro_run("--pipelines", "mend", **copy.parameters).exit_code == 0
    for name in TABLES:
        assert sorted_rows(copy.root, name) == sorted_rows(first_run.root, name), name


def test_missing_pca_is_named(copy: PipelineRun, kedro_run: KedroRun) -> None:
    (copy.root / "06_models/pca.npz").unlink()
    for pipeline in ("classify", "report"):
        result = kedro_run("--pipelines", pipeline, **copy.parameters)
        assert "Found no PCA in" in error_message(result)
        assert "make mend" in result.output
