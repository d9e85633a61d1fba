from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import arrow_table, frame, jpeg, key_of, report_parameters
from frame_helpers import store_table
from moment_trees import moment_tree

from fruits_pipeline import schemas
from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.models.moments import EMPTY, Moments, moments_of
from fruits_pipeline.models.pca import fit
from fruits_pipeline.pipelines.report.photos import (
    compare_batches,
    count_coverage,
    count_measures,
    find_quality_issues,
    make_thumbnails,
    read_quality,
)

pytestmark = pytest.mark.usefixtures("spark")

KIWI, FIG, PEAR = "Test/Kiwi/1.jpg", "Training/Fig/2.jpg", "Test/Pear/3.jpg"
SIZE = {"width": 48, "height": 40}
MEASURES = {"brightness": 0.5, "contrast": 0.2, "sharpness": 0.9, "saturation": 0.3}


def quality_of(path: str, **changes: float) -> dict[str, object]:
    return key_of(path) | SIZE | MEASURES | changes


def counts_of(photos: int) -> pd.DataFrame:
    return pd.DataFrame({"batch": ["000001"], "photos": [photos]})


def test_stored_photos_are_measured_and_counted(tmp_path: Path) -> None:
    rows = [quality_of(KIWI, brightness=0.01), quality_of(FIG), quality_of(PEAR)]
    first, second = (arrow_table(r, schemas.QUALITY) for r in (rows[:2], rows[2:]))
    table = store_table(tmp_path, {"000001": [first], "000002": [second]})
    parameters = report_parameters()
    quality = read_quality(table, counts_of(3), parameters)
    issues = find_quality_issues(quality, parameters)
    dark = issues[issues["issue"] == "dark"]
    assert [*dark["path"]] == [KIWI]
    measures = count_measures(quality, parameters)
    assert (measures["photos"], measures["issues"]["dark"]) == (3, 1)
    assert measures["issues"]["tiny"] == 3
    coverage = count_coverage(quality, ["000002"])
    assert [*coverage["photos"]] == [1, 1, 1]
    assert coverage[coverage["new_photos"] > 0]["label"].tolist() == ["Pear"]
    assert measures["of"] == 3


def test_photos_are_counted_exactly_if_a_sample_is_read() -> None:
    labels = {"Kiwi": 900, "Fig": 400, "Lime": 5}
    paths = [
        f"{('Training', 'Test')[i % 2]}/{label}/{i}.jpg"
        for label, count in labels.items()
        for i in range(count)
    ]
    random = np.random.default_rng(18)
    rows = [
        quality_of(path, brightness=float(random.uniform()))
        | {"batch": f"00000{1 + (i % 3 == 0)}", "series": "rs"[i % 2]}
        for i, path in enumerate(paths)
    ]
    rows += [
        row | {"path": f"{i}.jpg", "label": None, "split": None, "series": None}
        for i, row in enumerate(rows[:7])
    ]
    table, photos = frame(rows, schemas.QUALITY), counts_of(len(rows))
    moments = moment_tree({"000001": EMPTY, "000002": EMPTY})
    pca = FittedPca(fit(moments_of(random.normal(size=(9, 3))), 0.9, False, None), ())
    found = []
    for limit in (200, 10_000):
        parameters = report_parameters(sample_photos=limit)
        quality = read_quality(table, photos, parameters)
        changes = compare_batches(quality, moments, pca, ["000002"])
        changes["labels"].sort(key=str)
        found.append((count_coverage(quality, ["000002"]), changes))
        measures = count_measures(quality, parameters)
        assert measures["of"] == len(rows)
    assert measures["photos"] == len(rows)
    (coverage, changes), (expected_coverage, expected_changes) = found
    pd.testing.assert_frame_equal(coverage, expected_coverage, check_dtype=False)
    assert changes == expected_changes
    assert coverage["photos"].sum() == len(rows)


@pytest.mark.parametrize("standardise", [False, True])
def test_shift_of_the_features_is_measured(standardise: bool) -> None:
    features = np.random.default_rng(0).normal(size=(500, 3)) * [1, 2, 9]
    pca = FittedPca(fit(moments_of(features), 0.9, standardise, None), ("000001",))
    zero = np.zeros((3, 3))
    moments = {
        "000001": Moments(400, np.array([0.0, 0.0, 0.0]), zero),
        "000002": Moments(100, np.array([0.0, 0.0, 9.0]), zero),
        "000003": EMPTY,  # all photos are rejected
    }
    quality = [quality_of(KIWI) | {"batch": "000001"}]
    changes = compare_batches(
        read_quality(
            frame(quality, schemas.QUALITY), counts_of(1), report_parameters()
        ),
        moment_tree(moments),
        pca,
        ["000002", "000003"],
    )
    expected = 1 / np.sqrt(3) if standardise else 9 / np.sqrt(1 + 4 + 81)
    assert changes["mean_distance"] == pytest.approx(expected, rel=0.1)
    assert (changes["new_photos"], changes["earlier_photos"]) == (0, 1)


@pytest.mark.parametrize("stored", [False, True])
def test_only_shown_photos_have_thumbnails(tmp_path: Path, stored: bool) -> None:
    rows = [key_of(path) | {"image": jpeg(1)} for path in (KIWI, FIG, PEAR)]
    rows.append(key_of("Test/Kiwi/broken.jpg") | {"error": "no photo"})
    table = arrow_table(rows, schemas.IMAGES)
    images = (
        store_table(tmp_path, {"000001": [table]})
        if stored
        else frame(rows, schemas.IMAGES, batch="000001")
    )
    nothing = pd.DataFrame(
        columns=[
            *("path", "other_path", "label", "other_label", "across_splits"),
            *("suggested_label", "neighbour_1", "neighbour_2", "neighbour_3", "issue"),
        ]
    )
    names = ("near_duplicates", "suspect_labels", "outliers", "quality_issues")
    atlas = pd.DataFrame({"path": [PEAR, KIWI]})
    thumbnails = make_thumbnails(
        images, report_parameters(), **dict.fromkeys(names, nothing), atlas=atlas
    )
    assert [*thumbnails["path"]] == [KIWI, PEAR]
    assert all(content[:2] == b"\xff\xd8" for content in thumbnails["thumbnail"])
