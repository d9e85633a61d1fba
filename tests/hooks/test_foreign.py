"""Roots of other programs, local and on S3."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_s3 import Bucket
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline

from fruits_pipeline.datasets import (
    CsvReport,
    DeltaBatches,
    JsonFile,
    JsonLines,
    TextFile,
)
from fruits_pipeline.datasets.delta.tables import create_table
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.hooks.foreign import check_root
from fruits_pipeline.io.files import resolve, write_file
from fruits_pipeline.io.folders import entry_names
from fruits_pipeline.schemas import PHOTOS

PHOTOS_FOLDER = "02_intermediate/photos"
REJECTS = "08_reporting/rejects.csv"
DATA_FILE = "batch=000001/part-00000-0123abcd-0123abcd-0123456789abcdef-0123456789abcdef.parquet"


@pytest.fixture(params=["local", "s3"])
def root(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the location of a root that does not exist."""
    if request.param == "local":
        yield f"{request.getfixturevalue('tmp_path')}/the root"
    else:
        request.getfixturevalue("monkeypatch").setenv("AWS_ALLOW_HTTP", "true")
        bucket: Bucket = request.getfixturevalue("bucket")
        yield f"s3://{bucket.name}/the root"


def _make(*_: object) -> None:
    """Do nothing."""


def check(root: str, *tags: str, outputs: Iterable[str] = ()) -> None:
    """Check a root before a pipeline with these outputs, by default all of a run."""
    datasets: dict[str, Any] = {
        "photos@batches": DeltaBatches(
            filepath=f"{root}/{PHOTOS_FOLDER}", table="photos"
        ),
        "rejects": CsvReport(filepath=f"{root}/{REJECTS}"),
        "run_summary": JsonFile(filepath=f"{root}/08_reporting/run_summary.json"),
        "listing_counts": JsonFile(filepath=f"{root}/08_reporting/listing_counts.json"),
    }
    others = {
        "report_states": JsonFile(filepath=f"{root}/08_reporting/report_states.json"),
        "report_page": TextFile(filepath=f"{root}/08_reporting/report.html"),
        "run_history": JsonLines(filepath=f"{root}/08_reporting/run_history.jsonl"),
        "training_curves": JsonFile(filepath=f"{root}/08_reporting/curves.json"),
    }
    names = [*outputs] or [*datasets]
    node = Node(_make, inputs=None, outputs=names, name="n", tags=tags)
    check_root(root, Pipeline([node]), DataCatalog(datasets | others))


def write(root: str, *paths: str) -> None:
    for path in paths:
        write_file(f"{root}/{path}", b"foreign")


def contents(root: str) -> dict[str, bytes]:
    file_system, base = resolve(root)
    file_system.invalidate_cache()
    found = file_system.find(base)
    return {path: file_system.cat_file(path) for path in found}


def create_photos(root: str) -> None:
    create_table(f"{root}/{PHOTOS_FOLDER}", PHOTOS, {}, [], None)


def test_files_of_other_programs_are_refused(root: str) -> None:
    write(root, REJECTS, "08_reporting/run_summary.json", "readme.txt")
    before = contents(root)
    with pytest.raises(FruitsError, match=rf"Found {REJECTS}, .*run_summary.json in"):
        check(root)
    assert contents(root) == before
    check(root, outputs=["photos@batches"])  # which does not replace them


@pytest.mark.parametrize(
    "path",
    [
        ".lease.json",
        "08_reporting/listing_counts.json",
        "08_reporting/report_states.json",
        "08_reporting/report.html",
        f"{REJECTS}/a folder/file.txt",
    ],
)
def test_each_foreign_file_is_refused(root: str, path: str) -> None:
    write(root, path)
    with pytest.raises(FruitsError, match=r"Found \S+ in .*, but no table of this"):
        check(root)


def test_foreign_table_folders_are_refused(root: str) -> None:
    write(root, f"{PHOTOS_FOLDER}/mine.txt")
    with pytest.raises(FruitsError, match=r"such as mine.txt, and no table"):
        check(root)


@pytest.mark.parametrize("tag", ["check", "mend"])
def test_check_and_mend_need_a_table(root: str, tag: str) -> None:
    with pytest.raises(FruitsError, match="Found no tables of this project below"):
        check(root, tag)
    assert entry_names(root) == set()
    write(root, "06_models/pca.npz", REJECTS)
    with pytest.raises(FruitsError, match="Found no tables of this project below"):
        check(root, tag)


@pytest.mark.parametrize("tags", [(), ("check",), ("mend",)])
def test_roots_of_earlier_runs_are_accepted(root: str, tags: tuple[str, ...]) -> None:
    write(root, REJECTS)
    create_photos(root)
    check(root, *tags)


def test_table_without_a_log_is_recognised(root: str) -> None:
    write(root, f"{PHOTOS_FOLDER}/{DATA_FILE}")
    check(root, "mend")


def test_table_with_a_damaged_log_is_recognised(tmp_path: Path) -> None:
    log = "_delta_log/00000000000000000000.json"
    write(str(tmp_path), *(f"{PHOTOS_FOLDER}/{path}" for path in (DATA_FILE, log)))
    check(str(tmp_path), "mend")


def test_data_files_of_other_programs_are_not_recognised(root: str) -> None:
    name = "part-00000-01234567-89ab-cdef-0123-456789abcdef-c000.snappy.parquet"
    write(root, f"{PHOTOS_FOLDER}/batch=1/{name}")
    with pytest.raises(FruitsError, match="Found no tables of this project below"):
        check(root, "mend")


def test_interrupted_first_run_is_accepted(root: str) -> None:
    write(root, "08_reporting/curves.json", "06_models/backbone/card.json")
    counts, lease = {"new_or_changed": 3}, {"runs": "kedro run", "pid": 1}
    JsonFile(filepath=f"{root}/08_reporting/listing_counts.json").save(counts)
    write_file(f"{root}/.lease.json", json.dumps(lease).encode())
    check(root)
    check(root, outputs=["training_curves"])
