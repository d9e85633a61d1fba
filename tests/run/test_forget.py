import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from chaos.search import erased_photos, find_traces, read_tables
from factories import TABLES, jpeg, read_table, write_files
from forgetting import forget, receipts
from pipeline_runs import (
    CORRUPT_PHOTOS,
    GOOD_PHOTOS,
    NEW_PHOTOS,
    PHOTOS,
    KedroRun,
    PipelineRun,
    error_message,
    run_pipeline,
)

from fruits_pipeline.datasets import PcaFile
from fruits_pipeline.forget_root import OLD_SHEET

TWIN = "Training/Apple Red 1/twin.jpg"
TWIN_OF = "Training/Kiwi/0_100.jpg"
BY_PATH = ["Test/Kiwi/été #2?.jpg", "Test/Lime%20Key/1_100.jpg", TWIN]
BY_ID = ["Training/Kiwi/torn.jpg", "Training/Apple Red 1/0_100.jpg"]
ERASED = {*BY_PATH, *BY_ID, TWIN_OF}


def photo_id(path: str) -> str:
    return hashlib.sha256(PHOTOS[path]).hexdigest()


@pytest.fixture(scope="module")
def erased(
    first_run: PipelineRun,
    kedro_run: KedroRun,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[PipelineRun, Any, str]:
    """Erase photos after all stages; return the run, the tables before, and the output."""
    copy = first_run.copy(tmp_path_factory.mktemp("erased"))
    write_files(copy.photos, {TWIN: PHOTOS[TWIN_OF]})
    run = run_pipeline(kedro_run, copy.photos, copy.root)
    classified = kedro_run("--pipelines", "classify", **run.parameters)
    assert classified.exit_code == 0, classified.output
    before = read_tables(run.root)
    # As a copy of a killed process, and as the leftover of a user.
    write_files(run.root, {"08_reporting/class_sheet.png.unfinished": PHOTOS[TWIN_OF]})
    write_files(run.root, {"08_reporting/check.json": json.dumps(BY_ID).encode()})
    write_files(run.root, {f"08_reporting/{OLD_SHEET}": PHOTOS[TWIN_OF]})
    by_path = [str(run.photos / BY_PATH[0]), *BY_PATH[1:]]
    given = "\n".join([photo_id(BY_ID[0]).upper(), BY_ID[1], ""])
    result = forget(run, *by_path, "--from-file", "-", stdin=given)
    assert result.exit_code == 0, result.output
    return run, before, result.output


def test_no_file_has_a_trace_of_erased_photos(
    erased: tuple[PipelineRun, Any, str],
) -> None:
    run, before, _ = erased
    ids = {photo_id(path) for path in ERASED - {TWIN}}
    assert not [*find_traces(run.root, erased_photos(before, ERASED, ids))]
    others = {"Training/Kiwi/1_100.jpg"}
    assert [*find_traces(run.root, erased_photos(before, others, set()))]


def test_other_rows_are_kept(erased: tuple[PipelineRun, Any, str]) -> None:
    run, before, _ = erased
    after = read_tables(run.root)
    for table in ("photos", "images", "features"):
        kept = [row for row in before[table] if row["path"] not in ERASED]
        assert sorted(after[table], key=str) == sorted(kept, key=str)


def test_models_and_reports_are_computed_again(
    erased: tuple[PipelineRun, Any, str],
) -> None:
    run, _, _ = erased
    pca = PcaFile(filepath=str(run.root / "06_models/pca.npz")).load()
    assert pca
    assert pca.model.n == len(GOOD_PHOTOS.keys() - ERASED)
    assert sum(read_table(run.root, "moments")["n"].to_pylist()) == pca.model.n
    for name in ("classifier.npz", "phone_model.tflite"):
        assert (run.root / "06_models" / name).exists()
    names = {file.name for file in (run.root / "08_reporting").iterdir()}
    assert {
        "class_sheet.png",
        "refusals.png",
        "report.html",
        "answers.parquet",
    } <= names
    assert OLD_SHEET not in names


def test_receipt_describes_the_erasure_without_personal_data(
    erased: tuple[PipelineRun, Any, str],
) -> None:
    run, before, _ = erased
    (receipt,) = receipts(run.root)
    assert receipt["photos"] == len(ERASED) - 1
    assert receipt["rows_deleted"]["photos"] == len(ERASED)
    assert receipt["rows_deleted"]["features"] == len(ERASED - CORRUPT_PHOTOS.keys())
    assert receipt["computed_again"] == ["preprocess", "reduce", "report", "classify"]
    assert receipt["search"]["found"] == 0
    assert receipt["search"]["files"] > len(TABLES)
    assert all(receipt["old_versions_deleted"][table] for table in TABLES)
    listed = json.loads((run.root / "forgotten.json").read_text())
    assert listed["unfinished"] is None
    assert len(listed["photos"]) == len(ERASED) - 1


def test_photos_that_still_exist_are_printed(
    erased: tuple[PipelineRun, Any, str],
) -> None:
    _, _, output = erased
    shown = {line.strip() for line in output.splitlines() if line.startswith("  ")}
    assert shown >= ERASED


def test_erased_photos_do_not_return(
    erased: tuple[PipelineRun, Any, str], kedro_run: KedroRun, tmp_path: Path
) -> None:
    copy = erased[0].copy(tmp_path)
    shutil.copy(copy.photos / TWIN, copy.photos / "Test/Kiwi/renamed.jpg")
    (copy.photos / BY_ID[0]).touch()
    write_files(copy.photos, {BY_ID[1]: jpeg(777)})
    again = run_pipeline(kedro_run, copy.photos, copy.root)
    assert again.summary["batches_written"]["photos"] == 1
    paths = {row["path"] for row in read_tables(copy.root)["photos"]}
    assert paths == PHOTOS.keys() - ERASED | {BY_ID[1]}  # a new photo at an erased path
    assert again.summary["left_out"] == {".txt": 1, "forgotten": len(ERASED)}
    repeated = forget(copy, *BY_PATH)
    assert repeated.exit_code == 0, repeated.output
    assert receipts(copy.root)[-1]["photos"] == 0

    # The entries of the list can be deleted, to undo an erasure by mistake.
    empty = json.dumps({"photos": [], "unfinished": None})
    (copy.root / "forgotten.json").write_text(empty)
    undone = run_pipeline(kedro_run, copy.photos, copy.root)
    assert undone.summary["photos"] == len(PHOTOS) + 2
    assert undone.summary["left_out"] == {".txt": 1}


def test_unknown_photos_are_reported_and_nothing_is_changed(copy: PipelineRun) -> None:
    before = (copy.root / "06_models/pca.npz").read_bytes()
    message = error_message(forget(copy, "Training/Kiwi/1_100.jpg", "x.jpg", "0" * 64))
    assert message.startswith(
        f"Found no photo with the path or photo_id 'x.jpg', '{'0' * 64}'"
    )
    assert "Nothing was changed" in message
    assert not (copy.root / "forgotten.json").exists()
    assert (copy.root / "06_models/pca.npz").read_bytes() == before


def test_all_photos_are_erased(copy: PipelineRun, kedro_run: KedroRun) -> None:
    result = forget(copy, *PHOTOS)
    assert result.exit_code == 0, result.output
    assert all(read_table(copy.root, name).num_rows == 0 for name in TABLES)
    assert not (copy.root / "06_models/pca.npz").exists()
    assert receipts(copy.root)[0]["photos"] == len(PHOTOS)
    checked = kedro_run("--pipelines", "check", **copy.parameters)
    assert checked.exit_code == 0, checked.output
    message = error_message(kedro_run(**copy.parameters))
    assert "expected photos that were not erased" in message
    write_files(copy.photos, NEW_PHOTOS)
    again = run_pipeline(kedro_run, copy.photos, copy.root)
    assert again.summary["photos"] == len(NEW_PHOTOS)
    assert again.summary["left_out"] == {".txt": 1, "forgotten": len(PHOTOS)}


def test_root_without_tables_is_reported(tmp_path: Path, kedro_run: KedroRun) -> None:
    photos = write_files(tmp_path / "photos", GOOD_PHOTOS)
    run = PipelineRun(photos, tmp_path / "root", 0, 0)
    assert error_message(forget(run, "a.jpg")).startswith("Found no tables below")
