import shutil
from pathlib import Path

from factories import by_path, fingerprints, read_table, write_files
from pipeline_runs import (
    GOOD_PHOTOS,
    NEW_PHOTOS,
    PHOTOS,
    SETTINGS,
    KedroRun,
    PipelineRun,
    error_message,
    run_pipeline,
)


def test_changed_recipe_is_refused(copy: PipelineRun, kedro_run: KedroRun) -> None:
    before = fingerprints(copy.root)
    message = error_message(kedro_run(**copy.parameters, preprocess__short_side=20))
    assert f"Found {copy.root}/03_primary/images made with other parameters" in message
    assert "preprocess.short_side was 256, is 20" in message
    assert "--params changed_recipe=rebuild" in message
    assert fingerprints(copy.root) == before


def test_recipe_is_checked_before_anything_is_computed(
    copy: PipelineRun, kedro_run: KedroRun
) -> None:
    write_files(copy.photos, NEW_PHOTOS)
    before = fingerprints(copy.root)
    message = error_message(kedro_run(**copy.parameters, reduce__variance=0.5))
    assert "reduce.variance was 0.95, is 0.5" in message
    assert fingerprints(copy.root) == before


def test_tables_computed_from_a_table_before_its_rebuild_are_refused(
    copy: PipelineRun, kedro_run: KedroRun
) -> None:
    smaller = {"root": copy.root, "preprocess__short_side": 20, **SETTINGS}
    result = kedro_run("--pipelines", "preprocess", changed_recipe="rebuild", **smaller)
    assert result.exit_code == 0, result.output
    images = by_path(read_table(copy.root, "images"))
    assert images.keys() == PHOTOS.keys()
    assert not {row["image"] for row in images.values()} & {*GOOD_PHOTOS.values()}

    message = error_message(kedro_run("--pipelines", "featurize", **smaller))
    features = f"{copy.root}/04_feature/features"
    assert f"Found {features} made with other parameters" in message
    assert "preprocess.short_side was 256, is 20" in message


def test_vectors_of_old_pca_are_refused(copy: PipelineRun, kedro_run: KedroRun) -> None:
    settings = {"root": copy.root, **SETTINGS, "reduce__refit": "always"}
    write_files(copy.photos, NEW_PHOTOS)
    result = kedro_run("--to-nodes", "fit_pca", photos=copy.photos, **settings)
    assert result.exit_code == 0, result.output
    for pipeline in ("classify", "report"):
        message = error_message(kedro_run("--pipelines", pipeline, **settings))
        assert "computed by another PCA than" in message


def test_another_photo_root_is_refused_unless_accepted(
    copy: PipelineRun, kedro_run: KedroRun, tmp_path: Path
) -> None:
    moved = shutil.move(copy.photos, tmp_path / "moved")
    before = fingerprints(copy.root)
    message = error_message(kedro_run(photos=moved, root=copy.root, **SETTINGS))
    assert "made from photos in ../my photos; expected the same location" in message
    assert "(folders are relative to `root`)" in message
    assert fingerprints(copy.root) == before
    accepted = run_pipeline(kedro_run, moved, copy.root, changed_location="accept")
    assert accepted.embedded == 0
    assert run_pipeline(kedro_run, moved, copy.root).embedded == 0


def test_another_photo_root_is_accepted_for_all_tables_or_none(
    copy: PipelineRun, kedro_run: KedroRun, tmp_path: Path
) -> None:
    moved = shutil.move(copy.photos, tmp_path / "moved")
    settings = {"root": copy.root, "changed_location": "accept", **SETTINGS}
    error_message(kedro_run(photos=moved, reduce__variance=0.5, **settings))
    back = shutil.move(moved, copy.photos)
    assert run_pipeline(kedro_run, back, copy.root).embedded == 0
