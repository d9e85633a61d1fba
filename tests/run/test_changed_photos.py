import numpy as np
import pandas as pd
import pytest
from factories import (
    TABLES,
    by_path,
    fingerprints,
    jpeg,
    read_table,
    replace_file,
    truncated_jpeg,
    write_files,
)
from pipeline_runs import (
    BATCHES,
    NEW_PHOTOS,
    PHOTOS,
    KedroRun,
    PipelineRun,
    embed,
    run_pipeline,
)

from fruits_pipeline.datasets import PcaFile
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import fit as fit_pca

REPLACED = {"Training/Kiwi/0_100.jpg": jpeg(300)}
CORRUPTED = {"Training/Kiwi/1_100.jpg": truncated_jpeg(301)}
REPAIRED = {"Training/Kiwi/torn.jpg": jpeg(302)}

CURRENT_PHOTOS = PHOTOS | NEW_PHOTOS | REPLACED | CORRUPTED | REPAIRED
CURRENT_CORRUPT = {"Training/Apple Red 1/text.jpg", *CORRUPTED}
CURRENT_GOOD = {
    path: photo for path, photo in CURRENT_PHOTOS.items() if path not in CURRENT_CORRUPT
}


@pytest.fixture(scope="module")
def changed_run(
    first_run: PipelineRun,
    kedro_run: KedroRun,
    tmp_path_factory: pytest.TempPathFactory,
) -> PipelineRun:
    """Run again with added, replaced, corrupted and repaired photos, and refit the PCA."""
    copy = first_run.copy(tmp_path_factory.mktemp("changed run"))
    write_files(copy.photos, NEW_PHOTOS)
    for path, content in {**REPLACED, **CORRUPTED, **REPAIRED}.items():
        replace_file(copy.photos / path, content)
    return run_pipeline(kedro_run, copy.photos, copy.root, reduce__refit="always")


def test_only_new_and_changed_photos_are_processed(changed_run: PipelineRun) -> None:
    # Two photos move from the second batch to the new one; both need new moments.
    written = dict.fromkeys(TABLES, 1) | {"moments": 2, "reduced": BATCHES + 1}
    assert changed_run.summary["batches_written"] == written
    assert changed_run.embedded == len(NEW_PHOTOS | REPLACED | REPAIRED)
    photos = by_path(read_table(changed_run.root, "photos"))
    newest = {path for path, row in photos.items() if row["batch"] == "000004"}
    assert newest == {*NEW_PHOTOS, *REPLACED, *CORRUPTED, *REPAIRED}


def test_files_without_changed_photos_are_kept(
    first_run: PipelineRun, changed_run: PipelineRun
) -> None:
    for table in ("photos", "images", "features", "moments"):
        before, after = (
            fingerprints(run.root / TABLES[table]) for run in (first_run, changed_run)
        )
        kept = {n: time for n, (_, time) in before.items() if "batch=000001" in n}
        assert kept
        assert {name: after[name][1] for name in kept} == kept


def test_photos_and_images_are_those_of_the_folder(changed_run: PipelineRun) -> None:
    photos = by_path(read_table(changed_run.root, "photos"))
    contents = {path: row["content"] for path, row in photos.items()}
    assert contents == CURRENT_PHOTOS
    images = by_path(read_table(changed_run.root, "images"))
    assert images.keys() == CURRENT_PHOTOS.keys()
    assert {p for p, row in images.items() if row["error"]} == CURRENT_CORRUPT


@pytest.mark.parametrize("table", ["features", "reduced"])
def test_features_have_one_row_per_current_valid_photo(
    changed_run: PipelineRun, table: str
) -> None:
    photos = by_path(read_table(changed_run.root, "photos"))
    rows = by_path(read_table(changed_run.root, table))
    assert {path: row["photo_id"] for path, row in rows.items()} == {
        path: photos[path]["photo_id"] for path in CURRENT_GOOD
    }


def test_moments_have_one_row_per_batch(changed_run: PipelineRun) -> None:
    moments = read_table(changed_run.root, "moments")
    assert sum(moments["n"].to_pylist()) == len(CURRENT_GOOD)
    assert len(set(moments["batch"].to_pylist())) == len(moments)


def test_summary_counts_the_newest_version_of_a_photo(changed_run: PipelineRun) -> None:
    counts = ("photos", "rejected", "features")
    assert [changed_run.summary[name] for name in counts] == [
        len(CURRENT_PHOTOS),
        len(CURRENT_CORRUPT),
        len(CURRENT_GOOD),
    ]
    rejects = pd.read_csv(changed_run.root / "08_reporting/rejects.csv")
    assert set(rejects["path"]) == CURRENT_CORRUPT


def test_pca_is_refitted_to_the_current_photos(changed_run: PipelineRun) -> None:
    stored = PcaFile(filepath=str(changed_run.root / "06_models/pca.npz")).load()
    features = np.stack([embed(photo) for photo in CURRENT_GOOD.values()])
    expected = fit_pca(moments_of(features), 0.95, False, None)
    assert stored is not None
    assert stored.model.n == len(CURRENT_GOOD)
    assert stored.model.components.shape == expected.components.shape
    assert np.allclose(stored.model.mean, expected.mean)
    assert np.allclose(stored.model.spectrum, expected.spectrum, atol=1e-9)
    assert np.allclose(stored.model.components, expected.components, atol=1e-5)


def test_reduced_vectors_have_the_width_of_the_pca(changed_run: PipelineRun) -> None:
    rows = read_table(changed_run.root, "reduced")["components"].to_pylist()
    assert {len(row) for row in rows} == {changed_run.summary["components"]}
