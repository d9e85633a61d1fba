import logging
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import by_path, jpeg, read_table, replace_file, write_files
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

COUNTS = ("photos_listed", "photos", "moved", "deleted", "gone")
OLD, NEW = "Training/Kiwi", "Training/Golden Kiwi"
GONE = "Test/Lime%20Key/0_100.jpg"


def counts(run: PipelineRun) -> list[int]:
    return [run.summary[name] for name in COUNTS]


def check_tables(run: PipelineRun, expected: PipelineRun) -> None:
    """Compare all tables of photos with those of another run, except batches and times."""
    for table in ("photos", "images", "features", "reduced"):
        found = by_path(read_table(run.root, table))
        for path, row in by_path(read_table(expected.root, table)).items():
            for name in row.keys() - {"batch", "modified_at"}:
                if name in {"features", "components"}:
                    np.testing.assert_allclose(found[path][name], row[name], atol=1e-4)
                else:
                    assert found[path][name] == row[name], (table, path, name)
            found.pop(path)
        assert not found


@pytest.fixture(scope="module")
def moved_run(
    first_run: PipelineRun,
    kedro_run: KedroRun,
    tmp_path_factory: pytest.TempPathFactory,
) -> PipelineRun:
    """Relabel a folder, swap two photos, copy one, move and change one, delete one."""
    copy = first_run.copy(tmp_path_factory.mktemp("moved run"))
    photos = copy.photos
    (photos / OLD).rename(photos / NEW)
    first, second = (photos / f"Training/Apple Red 1/{i}_100.jpg" for i in (0, 1))
    first_bytes, second_bytes = first.read_bytes(), second.read_bytes()
    replace_file(first, second_bytes)
    replace_file(second, first_bytes)
    write_files(photos, {"Test/Kiwi/copy.jpg": first_bytes})
    (photos / "Test/Kiwi/0_100.jpg").rename(photos / "Test/Kiwi/changed.jpg")
    replace_file(photos / "Test/Kiwi/changed.jpg", jpeg(400))
    (photos / GONE).unlink()
    return run_pipeline(kedro_run, photos, copy.root, reduce__refit="always")


def test_moved_photos_are_neither_decoded_nor_embedded(moved_run: PipelineRun) -> None:
    assert (moved_run.decoded, moved_run.embedded) == (1, 1)
    assert moved_run.summary["batches_written"]["images"] == 2


def test_moved_photos_have_one_row(moved_run: PipelineRun) -> None:
    moved = sum(path.startswith(OLD) for path in PHOTOS)
    # The copy is new; the photo that was moved and changed is new, and gone.
    assert counts(moved_run) == [len(PHOTOS), len(PHOTOS) + 2, moved, 0, 2]
    photos = by_path(read_table(moved_run.root, "photos"))
    assert not any(path.startswith(OLD) for path in photos)
    assert {row["label"] for path, row in photos.items() if path.startswith(NEW)} == {
        "Golden Kiwi"
    }


def test_kept_rows_do_not_change(
    first_run: PipelineRun, moved_run: PipelineRun
) -> None:
    for table in ("photos", "images", "features"):
        before, after = (
            by_path(read_table(r.root, table)) for r in (first_run, moved_run)
        )
        assert after[GONE] == before[GONE]


def test_rows_equal_those_of_a_first_run(
    moved_run: PipelineRun, kedro_run: KedroRun, tmp_path: Path
) -> None:
    run = moved_run.copy(tmp_path)
    deleting = run_pipeline(
        kedro_run,
        run.photos,
        run.root,
        ingest__gone="delete",
        reduce__refit="always",
    )
    assert counts(deleting) == [len(PHOTOS), len(PHOTOS), 0, 2, 0]
    assert (deleting.decoded, deleting.embedded) == (0, 0)
    again = run_pipeline(kedro_run, run.photos, run.root, ingest__gone="delete")
    assert set(again.summary["batches_written"].values()) == {0}
    fresh = run_pipeline(kedro_run, run.photos, tmp_path / "fresh/root")
    check_tables(deleting, fresh)
    moments = read_table(run.root, "moments")
    assert sum(moments["n"].to_pylist()) == len(GOOD_PHOTOS)
    assert set(pd.read_csv(run.root / "08_reporting/label_counts.csv")["label"]) == {
        "Apple Red 1",
        "Golden Kiwi",
        "Kiwi",
        "Lime%20Key",
    }


def test_relabelled_photo_has_the_new_label_in_classify(
    moved_run: PipelineRun, kedro_run: KedroRun, tmp_path: Path
) -> None:
    run = moved_run.copy(tmp_path)
    result = kedro_run("--pipelines", "classify", **run.parameters)
    assert result.exit_code == 0, result.output
    answers = pd.read_parquet(run.root / "08_reporting/answers.parquet")
    assert answers["path"].is_unique
    assert "Kiwi" not in set(answers["answer"])
    assert GONE in set(answers["path"])


def test_gone_photos_are_named_in_a_warning(
    copy: PipelineRun, kedro_run: KedroRun, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("torn.jpg", "0_100.jpg", "1_100.jpg", "2_100.jpg"):
        (copy.photos / OLD / name).unlink()
    # Left out from now on, because the name has no extension of a photo.
    (copy.photos / OLD / "3_100.jpg").rename(copy.photos / OLD / "3_100.jpg.bak")
    with caplog.at_level(logging.WARNING):
        run = run_pipeline(kedro_run, copy.photos, copy.root)
    assert counts(run) == [len(PHOTOS) - 5, len(PHOTOS), 0, 0, 5]
    (warning,) = (r.getMessage() for r in caplog.records if "longer in" in r.msg)
    first = ", ".join(f"'{OLD}/{i}_100.jpg'" for i in range(3))
    assert (
        f"5 ingested photos are no longer in {copy.photos} (such as {first})" in warning
    )
    assert "--params ingest.gone=delete" in warning


def test_run_that_would_delete_too_many_photos_changes_nothing(
    copy: PipelineRun, kedro_run: KedroRun
) -> None:
    limit = {"ingest__gone": "delete", "ingest__max_gone_rate": 0.05}
    for path in [*CORRUPT_PHOTOS, GONE]:
        (copy.photos / path).unlink()
    write_files(copy.photos, NEW_PHOTOS)
    before = read_table(copy.root, "photos")
    message = error_message(kedro_run(**copy.parameters, **limit))
    assert f"Found that 3 of {len(PHOTOS)} ingested photos (12.5%) are no" in message
    assert f"such as '{GONE}'" in message
    assert "ingest.gone=delete,ingest.max_gone_rate=0.125" in message
    assert read_table(copy.root, "photos") == before
    limit["ingest__max_gone_rate"] = 0.125
    run = run_pipeline(kedro_run, copy.photos, copy.root, **limit)
    total = len(PHOTOS) + len(NEW_PHOTOS) - 3
    assert counts(run) == [total, total, 0, 3, 0]


def test_photos_that_only_seem_to_be_moved_are_not_deleted(
    copy: PipelineRun, kedro_run: KedroRun
) -> None:
    for number in range(6):
        old = copy.photos / f"Training/Apple Red 1/{number}_100.jpg"
        size = old.stat().st_size
        old.unlink()
        new = {
            f"Training/Fig/{number}.jpg": jpeg(500 + number).ljust(size, b"\0")[:size]
        }
        write_files(copy.photos, new)
    message = error_message(kedro_run(**copy.parameters, ingest__gone="delete"))
    assert f"Found that 6 of {len(PHOTOS)} ingested photos (25.0%) are no" in message
    paths = by_path(read_table(copy.root, "photos")).keys()
    assert PHOTOS.keys() <= paths
    run = run_pipeline(
        kedro_run, copy.photos, copy.root, preprocess__max_error_rate=0.9
    )
    assert counts(run) == [len(PHOTOS), len(PHOTOS) + 6, 0, 0, 6]


def test_photo_that_was_never_read_is_not_kept(
    copy: PipelineRun, kedro_run: KedroRun
) -> None:
    large = copy.photos / "Training/Kiwi/large.jpg"
    large.touch()
    os.truncate(large, 2**28 + 1)
    run = run_pipeline(kedro_run, copy.photos, copy.root)
    assert counts(run) == [len(PHOTOS) + 1, len(PHOTOS) + 1, 0, 0, 0]
    large.unlink()
    run = run_pipeline(kedro_run, copy.photos, copy.root)
    assert counts(run) == [len(PHOTOS), len(PHOTOS), 0, 1, 0]
