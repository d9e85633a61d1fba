"""Remove the content of photos, and run again on what is left."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from factories import TABLES, by_path, jpeg, read_table, replace_file
from forgetting import forget
from pipeline_runs import (
    CORRUPT_PHOTOS,
    GOOD_PHOTOS,
    PHOTOS,
    KedroRun,
    PipelineRun,
    error_message,
    run_pipeline,
    sorted_rows,
)

NOTHING = dict.fromkeys(TABLES, 0)


@pytest.fixture(scope="module")
def emptied(
    first_run: PipelineRun,
    kedro_run: KedroRun,
    tmp_path_factory: pytest.TempPathFactory,
) -> PipelineRun:
    """Remove the content of all photos. Tests must not change these folders."""
    copied = first_run.copy(tmp_path_factory.mktemp("retention"))
    parameters: dict[str, Any] = {"retention__content_days": 0}
    return run_pipeline(kedro_run, copied.photos, copied.root, **parameters)


@pytest.fixture
def old(emptied: PipelineRun, tmp_path: Path) -> PipelineRun:
    """Return a copy of the run without content, which a test may change."""
    return emptied.copy(tmp_path)


def contents(run: PipelineRun, table: str, column: str) -> dict[str, bytes | None]:
    return {p: row[column] for p, row in by_path(read_table(run.root, table)).items()}


def without(rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    return [row | {column: None} for row in rows]


def check(kedro_run: KedroRun, run: PipelineRun) -> None:
    result = kedro_run("--pipelines", "check", **run.parameters, check__contents=True)
    assert result.exit_code == 0, result.output


def test_content_of_photos_with_features_is_removed(
    first_run: PipelineRun, emptied: PipelineRun, kedro_run: KedroRun
) -> None:
    kept = contents(emptied, "photos", "content")
    assert kept == dict.fromkeys(GOOD_PHOTOS) | CORRUPT_PHOTOS
    assert {*contents(emptied, "images", "image").values()} == {None}
    for table, column in [("photos", "content"), ("images", "image"), ("features", "")]:
        rows = sorted_rows(emptied.root, table), sorted_rows(first_run.root, table)
        assert without(rows[0], column) == without(rows[1], column)
    same = ("photos", "rejected", "features", "gone", "components")
    assert all(emptied.summary[n] == first_run.summary[n] for n in same)
    assert emptied.summary["without_content"] == len(GOOD_PHOTOS)
    assert emptied.summary["batches_written"] == NOTHING
    check(kedro_run, emptied)


def test_next_run_reads_and_writes_nothing(
    old: PipelineRun, kedro_run: KedroRun
) -> None:
    for path, content in PHOTOS.items():
        file, state = old.photos / path, (old.photos / path).stat()
        file.write_bytes(bytes(len(content)))
        os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    before = {name: sorted((old.root / TABLES[name]).rglob("*")) for name in TABLES}
    again = run_pipeline(kedro_run, old.photos, old.root, retention__content_days=0)
    assert again.summary["batches_written"] == NOTHING
    assert (again.embedded, again.decoded) == (0, 0)
    after = {name: sorted((old.root / TABLES[name]).rglob("*")) for name in TABLES}
    assert after == before


def test_changed_moved_and_deleted_photos_are_followed(
    old: PipelineRun, kedro_run: KedroRun
) -> None:
    changed, moved, deleted = "Training/Kiwi/0_100.jpg", "Training/Kiwi/1_100.jpg", 0
    replace_file(old.photos / changed, jpeg(300))
    (old.photos / moved).rename(old.photos / "Training/Kiwi/new.jpg")
    deleted = "Training/Kiwi/2_100.jpg"
    (old.photos / deleted).unlink()
    again = run_pipeline(kedro_run, old.photos, old.root, ingest__gone="delete")
    # The image of a moved photo is made again, because its content was read.
    assert (again.embedded, again.decoded) == (1, 2)
    kept = contents(again, "photos", "content")
    assert {path for path, content in kept.items() if content} == {
        *CORRUPT_PHOTOS,
        changed,
        "Training/Kiwi/new.jpg",
    }
    assert not kept.keys() & {moved, deleted}
    assert len(contents(again, "features", "features")) == len(GOOD_PHOTOS) - 1
    assert again.summary["without_content"] == len(GOOD_PHOTOS) - 3
    check(kedro_run, again)


def test_photos_without_content_are_erased(
    old: PipelineRun, kedro_run: KedroRun, tmp_path: Path
) -> None:
    path = "Training/Kiwi/0_100.jpg"
    forget(old, path)
    for table in ("photos", "images", "features", "reduced"):
        assert path not in contents(old, table, "path")
    again = run_pipeline(kedro_run, old.photos, old.root)
    assert path not in contents(again, "photos", "content")
    assert again.embedded == again.decoded == 0


def test_other_recipe_is_refused_before_anything_is_deleted(
    old: PipelineRun, kedro_run: KedroRun, first_run: PipelineRun
) -> None:
    changes = {"featurize__fit": "pad", "changed_recipe": "rebuild"}
    message = error_message(kedro_run(**old.parameters, **changes))
    assert f"the content of {len(GOOD_PHOTOS)} photos, which `features`" in message
    assert "--params removed_content=read" in message
    rows = sorted_rows(old.root, "features")
    assert rows == sorted_rows(first_run.root, "features")
    changes["removed_content"] = "read"
    rebuilt = run_pipeline(kedro_run, old.photos, old.root, **changes)
    assert (rebuilt.embedded, rebuilt.decoded) == (len(GOOD_PHOTOS), len(GOOD_PHOTOS))
    assert contents(rebuilt, "photos", "content") == PHOTOS
    assert rebuilt.summary["without_content"] == 0
    check(kedro_run, rebuilt)


def test_other_recipe_is_refused_if_a_photo_is_gone(
    old: PipelineRun, kedro_run: KedroRun, first_run: PipelineRun
) -> None:
    (old.photos / "Training/Kiwi/0_100.jpg").unlink()
    changes = {"featurize__fit": "pad", "changed_recipe": "rebuild"}
    result = kedro_run(**old.parameters, **changes, removed_content="read")
    assert "the content of 1 photos, which `features`" in error_message(result)
    rows = by_path(read_table(old.root, "features"))
    assert rows.keys() == by_path(read_table(first_run.root, "features")).keys()


def test_lost_photos_are_read_again(old: PipelineRun, kedro_run: KedroRun) -> None:
    file = min((old.root / TABLES["photos"]).glob("batch=000001/part-*"))
    file.unlink()
    assert "retention.content_days" in error_message(kedro_run(**old.parameters))
    mended = kedro_run("--pipelines", "mend", **old.parameters)
    assert mended.exit_code == 0, mended.output
    check(kedro_run, old)
    kept = contents(old, "photos", "content")
    assert sum(content is not None for content in kept.values()) > len(CORRUPT_PHOTOS)
    assert len(kept) == len(PHOTOS)


def test_lost_images_need_the_photos_again(
    old: PipelineRun, kedro_run: KedroRun, first_run: PipelineRun
) -> None:
    min((old.root / TABLES["images"]).glob("batch=000001/part-*")).unlink()
    message = error_message(kedro_run("--pipelines", "mend", **old.parameters))
    assert "which `images` has to be computed from" in message
    assert "--params removed_content=read" in message
    again = run_pipeline(kedro_run, old.photos, old.root, removed_content="read")
    assert again.embedded == 0
    assert contents(again, "images", "image") == contents(first_run, "images", "image")
    check(kedro_run, again)


def test_lost_logs_are_written_again(old: PipelineRun, kedro_run: KedroRun) -> None:
    for table in ("photos", "images"):
        shutil.rmtree(old.root / TABLES[table] / "_delta_log")
    mended = kedro_run("--pipelines", "mend", **old.parameters)
    assert mended.exit_code == 0, mended.output
    again = run_pipeline(kedro_run, old.photos, old.root)
    assert again.summary["without_content"] == len(GOOD_PHOTOS)
    assert (again.embedded, again.decoded) == (0, 0)
    check(kedro_run, again)


def test_young_photos_keep_their_content(
    copy: PipelineRun, kedro_run: KedroRun
) -> None:
    again = run_pipeline(kedro_run, copy.photos, copy.root, retention__content_days=1)
    assert contents(again, "photos", "content") == PHOTOS
    assert again.summary["without_content"] == 0


@pytest.mark.parametrize("vanished", [("photos",), ("photos", "images")])
def test_vanished_tables_are_no_reason_to_forget_photos(
    copy: PipelineRun, kedro_run: KedroRun, vanished: tuple[str, ...]
) -> None:
    gone = "Training/Kiwi/0_100.jpg"
    (copy.photos / gone).unlink()
    for table in vanished:
        shutil.rmtree(copy.root / TABLES[table])
    message = error_message(kedro_run(**copy.parameters))
    assert "expected the photos that it was computed from" in message
    assert "retention.content_days" in message
    assert "make mend" in message
    mended = kedro_run("--pipelines", "mend", **copy.parameters)
    assert mended.exit_code == 0, mended.output
    assert gone in mended.output
    assert len(read_table(copy.root, "features")) == len(GOOD_PHOTOS) - 1
