from pathlib import Path

import pytest
from factories import TABLES, jpeg, write_files
from pipeline_runs import KedroRun, PipelineRun, error_message, sorted_rows


@pytest.fixture
def two_photos(tmp_path: Path) -> Path:
    return write_files(
        tmp_path / "photos", {f"Kiwi/{i}.jpg": jpeg(i) for i in range(2)}
    )


@pytest.mark.parametrize(
    ("table", "kept_bytes"),
    [("photos", None), ("images", 0), ("features", 50), ("moments", 0), ("reduced", 4)],
)
def test_damaged_file_is_refused_found_and_repaired(
    first_run: PipelineRun,
    copy: PipelineRun,
    kedro_run: KedroRun,
    table: str,
    kept_bytes: int | None,
) -> None:
    (file, *_) = sorted((copy.root / TABLES[table]).glob("batch=000002/part-*"))
    content = file.read_bytes()
    file.unlink()
    if kept_bytes is not None:
        file.write_bytes(content[:kept_bytes])

    message = error_message(kedro_run(**copy.parameters))
    assert file.name in message
    assert "batch 000002" in message
    assert "`make mend`" in message
    found = error_message(kedro_run("--pipelines", "check", **copy.parameters))
    assert found.startswith(f"Found 1 defect: {table}, batch 000002: found ")
    assert "; repair: make mend Expected none" in found

    mended = kedro_run("--pipelines", "mend", **copy.parameters)
    assert mended.exit_code == 0, mended.output
    for name in TABLES:
        rows, expected = (sorted_rows(r.root, name) for r in (copy, first_run))
        assert rows == expected, name
    checked = kedro_run("--pipelines", "check", **copy.parameters)
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize("table", TABLES)
def test_folder_with_foreign_files_is_refused_and_unchanged(
    kedro_run: KedroRun, tmp_path: Path, two_photos: Path, table: str
) -> None:
    root = write_files(tmp_path / "out", {f"{TABLES[table]}/my notes.txt": b"mine"})
    message = error_message(kedro_run(photos=two_photos, root=root))
    assert f"Found files in {root}/{TABLES[table]}, such as my notes.txt" in message
    assert (root / TABLES[table] / "my notes.txt").read_bytes() == b"mine"


def test_table_of_version_0_1_is_refused(
    kedro_run: KedroRun, tmp_path: Path, two_photos: Path
) -> None:
    files = {f"{TABLES['photos']}/{name}": b"{}" for name in ("_recipe.json", "x")}
    root = write_files(tmp_path / "out", files)
    message = error_message(kedro_run(photos=two_photos, root=root))
    assert "Found a table of version 0.1 of this project" in message
    assert "run again to compute them from the photos" in message
