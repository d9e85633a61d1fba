"""Erasures that are interrupted, and photos that share values with others."""

import zipfile

import numpy as np
import pytest
from chaos.search import read_tables
from factories import write_files
from forgetting import forget, receipts
from pipeline_runs import PHOTOS, KedroRun, PipelineRun, error_message, run_pipeline

from fruits_pipeline.io.search_terms import FILE_NAME

PATH = "Training/Kiwi/1_100.jpg"
NOTES, VECTOR, ARCHIVE = "notes/list.txt", "mine/vector.npy", "mine/photos.zip"
TWIN, TWIN_OF = "Training/Kiwi/twin.jpg", "Training/Kiwi/2_100.jpg"


def write_copies(run: PipelineRun) -> None:
    """Write files of other programs with a path, a vector, and the bytes of a photo."""
    write_files(run.root, {NOTES: f"{PATH}\n".encode(), VECTOR: b"", ARCHIVE: b""})
    np.save(run.root / VECTOR, vector(run, PATH))
    with zipfile.ZipFile(run.root / ARCHIVE, "w") as archive:
        archive.writestr("1.jpg", PHOTOS[PATH])


def vector(run: PipelineRun, path: str, table: str = "features") -> np.ndarray:
    column = {"features": "features", "reduced": "components"}[table]
    rows = read_tables(run.root)[table]
    return np.array(next(r[column] for r in rows if r["path"] == path), np.float32)


def test_every_call_searches_for_all_that_was_erased(
    copy: PipelineRun, kedro_run: KedroRun
) -> None:
    write_copies(copy)
    for arguments, missing in (((PATH,), None), ((), NOTES), ((), VECTOR)):
        if missing:
            (copy.root / missing).unlink()
        message = error_message(forget(copy, *arguments))
        found = {name for name in (NOTES, VECTOR, ARCHIVE) if name in message}
        assert found == {
            n for n in (NOTES, VECTOR, ARCHIVE) if (copy.root / n).exists()
        }
    assert not receipts(copy.root)
    checked = error_message(kedro_run("--pipelines", "check", **copy.parameters))
    assert "an interrupted erasure of 1 photo" in checked
    assert "repair: make forget" in checked
    assert run_pipeline(kedro_run, copy.photos, copy.root).summary["photos"] == (
        len(PHOTOS) - 1
    )
    (copy.root / ARCHIVE).unlink()
    result = forget(copy)
    assert result.exit_code == 0, result.output
    (receipt,) = receipts(copy.root)
    assert (receipt["photos"], receipt["search"]["not_searched_for"]) == (1, "")
    assert not (copy.root / FILE_NAME).exists()
    checked = kedro_run("--pipelines", "check", **copy.parameters)
    assert checked.exit_code == 0, checked.output

    # Without the list, a run would ingest the photo again.
    (copy.root / "forgotten.json").rename(copy.root / "backup.json")
    found = "Found 1 receipts of erasures"
    assert found in error_message(kedro_run(**copy.parameters))
    assert found in error_message(forget(copy, PATH))
    checked = kedro_run("--pipelines", "check", **copy.parameters)
    assert found.lower().removeprefix("found ") in error_message(checked)


def test_lost_search_terms_are_stated(copy: PipelineRun) -> None:
    write_files(copy.root, {NOTES: f"{PATH}\n".encode()})
    error_message(forget(copy, str(copy.photos / PATH)))
    (copy.root / FILE_NAME).unlink()
    message = error_message(forget(copy))
    assert message.startswith("Found an interrupted erasure, but no .erasure.json")
    assert "all photos of that call" in message
    assert NOTES in error_message(forget(copy, PATH))
    (copy.root / NOTES).unlink()
    result = forget(copy)
    assert result.exit_code == 0, result.output
    (receipt,) = receipts(copy.root)
    assert "vectors" in receipt["search"]["not_searched_for"]


@pytest.fixture
def twins(copy: PipelineRun, kedro_run: KedroRun) -> PipelineRun:
    """Return a run with two photos of equal pixels, and other bytes."""
    write_files(copy.photos, {TWIN: PHOTOS[TWIN_OF] + b"\0"})
    return run_pipeline(kedro_run, copy.photos, copy.root)


def test_photo_with_the_pixels_of_another_is_erased(twins: PipelineRun) -> None:
    write_files(twins.root, {"mine/features.bin": vector(twins, TWIN).tobytes()})
    components = vector(twins, TWIN, "reduced").tobytes()
    write_files(twins.root, {"mine/components.bin": components})
    result = forget(twins, TWIN)
    assert result.exit_code == 0, result.output
    assert TWIN_OF in {row["path"] for row in read_tables(twins.root)["images"]}
    message = error_message(forget(twins, TWIN_OF))
    assert "mine/features.bin (bytes)" in message  # no other photo has it now
    assert len(receipts(twins.root)) == 1
