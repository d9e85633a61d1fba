import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from factories import TABLES, by_path, read_table
from PIL import Image
from pipeline_runs import (
    BATCHES,
    CORRUPT_PHOTOS,
    GOOD_PHOTOS,
    PHOTOS,
    PipelineRun,
    embed,
)
from plotly.io import from_json

from fruits_pipeline import schemas
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import fit as fit_pca
from fruits_pipeline.pipeline_registry import DEFAULT_STAGES


def test_summary_counts_photos_features_and_components(first_run: PipelineRun) -> None:
    counts = ("photos", "rejected", "features", "feature_width")
    assert [first_run.summary[name] for name in counts] == [24, 2, 22, 1336]
    counts = ("files", "photos_listed", "gone")
    assert [first_run.summary[name] for name in counts] == [25, 24, 0]
    assert first_run.summary["left_out"] == {".txt": 1}
    assert 1 <= first_run.summary["components"] <= 21
    assert 0.95 <= first_run.summary["explained_variance"] <= 1


def test_summary_reports_written_batches_and_speed(first_run: PipelineRun) -> None:
    assert first_run.summary["batches_written"] == dict.fromkeys(TABLES, BATCHES)
    assert first_run.summary["seconds"].keys() == set(DEFAULT_STAGES)
    assert min(first_run.summary["seconds"].values()) >= 0
    assert first_run.summary["photos_per_second"] > 0


@pytest.mark.parametrize("table", TABLES)
def test_tables_have_their_schemas(first_run: PipelineRun, table: str) -> None:
    columns = pa.schema([*getattr(schemas, table.upper()), schemas.BATCH])
    assert read_table(first_run.root, table).schema == columns


def test_backbone_embeds_every_valid_photo_once(first_run: PipelineRun) -> None:
    assert first_run.embedded == len(GOOD_PHOTOS)


def test_features_belong_to_the_right_photo(first_run: PipelineRun) -> None:
    rows = by_path(read_table(first_run.root, "features"))
    assert rows.keys() == GOOD_PHOTOS.keys()
    for path, row in rows.items():
        assert (row["split"], row["label"]) == tuple(path.split("/")[:2])
        assert np.array_equal(np.float32(row["features"]), embed(GOOD_PHOTOS[path]))


def test_labels_are_the_same_in_all_tables(first_run: PipelineRun) -> None:
    labels = {path: path.split("/")[1] for path in PHOTOS}
    for table in ("photos", "images", "features", "reduced"):
        rows = by_path(read_table(first_run.root, table))
        assert {p: row["label"] for p, row in rows.items()} == {
            path: label for path, label in labels.items() if path in rows
        }


def test_corrupt_photos_have_an_error_and_no_features(first_run: PipelineRun) -> None:
    images = by_path(read_table(first_run.root, "images"))
    assert {p for p, row in images.items() if row["error"]} == CORRUPT_PHOTOS.keys()
    for table in ("features", "reduced"):
        assert by_path(read_table(first_run.root, table)).keys() == GOOD_PHOTOS.keys()
    moments = read_table(first_run.root, "moments")
    assert sum(moments["n"].to_pylist()) == len(GOOD_PHOTOS)


def test_components_equal_a_pca_of_the_features(first_run: PipelineRun) -> None:
    features = {path: embed(photo) for path, photo in GOOD_PHOTOS.items()}
    pca = fit_pca(moments_of(np.stack([*features.values()])), 0.95, False, None)
    for path, row in by_path(read_table(first_run.root, "reduced")).items():
        expected = pca.transform(features[path][np.newaxis])[0]
        assert np.allclose(row["components"], expected, atol=1e-3)


@pytest.mark.parametrize("name", ["variance_curve", "photo_map"])
def test_plotly_figure_has_points(first_run: PipelineRun, name: str) -> None:
    figure = from_json((first_run.root / f"08_reporting/{name}.json").read_text())
    assert len(figure.data)
    assert max(len(trace.x) for trace in figure.data) > 1


@pytest.mark.parametrize("name", ["class_sheet", "reject_sheet"])
def test_contact_sheet_shows_photos(first_run: PipelineRun, name: str) -> None:
    with Image.open(first_run.root / f"08_reporting/{name}.png") as sheet:
        sheet.load()
        colours = sheet.convert("RGB").getcolors(sheet.width * sheet.height)
    assert min(sheet.size) > 100
    assert len(colours or []) > 100


def test_labels_and_rejected_photos_are_listed(first_run: PipelineRun) -> None:
    reports = first_run.root / "08_reporting"
    counts = pd.read_csv(reports / "label_counts.csv")
    assert counts["photos"].sum() == len(PHOTOS)
    assert set(counts["label"]) == {"Apple Red 1", "Kiwi", "Lime%20Key"}
    rejects = pd.read_csv(reports / "rejects.csv")
    assert list(rejects["path"]) == sorted(CORRUPT_PHOTOS)
