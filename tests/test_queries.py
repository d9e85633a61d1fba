"""The query of docs/queries.md for DuckDB, on tables of a real run."""

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from deltalake import DeltaTable
from factories import PROJECT, TABLES, by_path, read_table, write_files
from pipeline_runs import GOOD_PHOTOS, PHOTOS, KedroRun, PipelineRun, run_pipeline

QUERIES = PROJECT / "docs/queries.md"
GONE = "Training/Kiwi/0_100.jpg"


@pytest.fixture(scope="module")
def run(kedro_run: KedroRun, tmp_path_factory: pytest.TempPathFactory) -> PipelineRun:
    """Run twice, so that the first file of a table is replaced; keep a copy of it."""
    folder = tmp_path_factory.mktemp("queries")
    photos = write_files(folder / "photos", PHOTOS)
    first = run_pipeline(kedro_run, photos, folder / "data")
    table = first.root / TABLES["reduced"]
    files = {file: file.read_bytes() for file in table.rglob("*.parquet")}
    (photos / GONE).unlink()
    second = run_pipeline(kedro_run, photos, folder / "data", ingest__gone="delete")
    for file, content in files.items():  # as long as vacuum has not deleted them
        file.write_bytes(content)
    return second


def documented_query(run: PipelineRun, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    (code,) = re.findall(r"```python\n(.*?)```", QUERIES.read_text(), re.DOTALL)
    monkeypatch.chdir(run.root.parent)
    found: list[Any] = []
    names = {"print": lambda relation: found.extend(relation.fetchall())}
    exec(code, names)  # noqa: S102 - the code of the documentation
    return found


def test_documented_query_counts_current_photos(
    run: PipelineRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {row[0]: row[1:3] for row in documented_query(run, monkeypatch)}
    images = by_path(read_table(run.root, "images"))
    labels = {path: row["label"] for path, row in images.items()}
    assert rows == {
        label: (
            sum(found == label for found in labels.values()),
            sum(
                found == label and path in GOOD_PHOTOS for path, found in labels.items()
            ),
        )
        for label in {*labels.values()}
    }


def test_files_that_the_log_does_not_list_are_not_read(run: PipelineRun) -> None:
    folder = run.root / TABLES["reduced"]
    current = DeltaTable(str(folder)).to_pyarrow_dataset()
    assert current.count_rows() == len(GOOD_PHOTOS) - 1
    listed = duckdb.read_parquet(DeltaTable(str(folder)).file_uris())
    assert listed.count("*").fetchall() == [(len(GOOD_PHOTOS) - 1,)]
    every = duckdb.read_parquet(str(Path(folder, "**/*.parquet")))
    paths = [row[0] for row in every.project("path").fetchall()]
    assert GONE in paths  # why the documentation warns of this
    assert len(paths) > current.count_rows()
