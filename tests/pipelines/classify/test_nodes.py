from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from factories import by_path, frame, jpeg, key_of
from frame_helpers import fail_if_read
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import FittedClassifier, FittedPca
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models import calibration
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.classifiers import UNKNOWN, Classifier
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import fit
from fruits_pipeline.models.temperature import MIN_PHOTOS
from fruits_pipeline.parameters import (
    ClassifyParameters,
    FeaturizeParameters,
    PreprocessParameters,
)
from fruits_pipeline.pipelines.classify.nodes import (
    answer_photos,
    build_phone_model,
    evaluate_answers,
    train_classifier,
)
from fruits_pipeline.pipelines.classify.selection import (
    collect_photos,
    select_labelled,
)
from fruits_pipeline.pipelines.classify.sheets import (
    draw_refusals,
    draw_wrong_answers,
    make_answer_thumbnails,
    show_answers,
)
from fruits_pipeline.reporting.confusion import confusion_matrix
from fruits_pipeline.spark.frames import map_arrow

pytestmark = pytest.mark.usefixtures("spark")

PARAMETERS = ClassifyParameters(
    training_splits=["training", "train"],
    calibrated_splits=["val"],
    test_share=0.5,
    photos_per_label=100,
    max_photos=1000,
    mistakes_shown=2,
    seed=1,
)
COUNTS = pd.DataFrame({"batch": ["000001"], "photos": [100]})
PREPROCESS = PreprocessParameters(
    short_side=64, decode_memory_mib=64, seconds_per_photo=60, max_error_rate=0.05
)
MEANS = {"Fig": (9.0, 0.0), "Kiwi": (0.0, 9.0), "Lime": (-9.0, -9.0)}


def vector(path: str) -> list[float]:
    """Return a vector near the mean of the label of the path."""
    noise = np.random.default_rng(len(path) + sum(map(ord, path))).normal(size=2)
    return [*(np.array(MEANS.get(path.split("/")[1], (0, 0))) + noise)]


def reduced(paths: Sequence[str], **columns: Any) -> DataFrame:
    """Return the table `reduced` of the photos, in one batch."""
    rows = [key_of(path) | {"components": vector(path)} | columns for path in paths]
    return frame(rows, schemas.REDUCED, batch="000001")


def images(paths: Sequence[str]) -> DataFrame:
    """Return the table `images` of the photos, in one batch."""
    rows = [key_of(path) | {"image": jpeg(i)} for i, path in enumerate(paths)]
    return frame(rows, schemas.IMAGES, batch="000001")


PCA = fit(moments_of(np.eye(4)), 0.5, standardise=False, max_components=None)


def paths_of(split: str, labels: Sequence[str], photos: int = 8) -> list[str]:
    return [f"{split}/{label}/{i}.jpg" for label in labels for i in range(photos)]


PATHS = [*paths_of("Training", ["Fig", "Kiwi"]), *paths_of("Test", [*MEANS], 2)]


@pytest.fixture(scope="module")
def labelled(spark: object) -> DataFrame:
    return select_labelled(reduced(PATHS), COUNTS, PARAMETERS).cache()


@pytest.fixture(scope="module")
def pca(backbone: Backbone) -> FittedPca:
    features = np.random.default_rng(0).normal(size=(20, backbone.card.width))
    model = fit(moments_of(features), 0.05, standardise=False, max_components=None)
    return FittedPca(model, ("000001",))


@pytest.fixture(scope="module")
def classifier(labelled: DataFrame, pca: FittedPca) -> FittedClassifier:
    return train_classifier(labelled, pca, PARAMETERS)


@pytest.fixture(scope="module")
def answers(labelled: DataFrame, classifier: FittedClassifier) -> pd.DataFrame:
    return answer_photos(labelled, classifier, PARAMETERS)


def training_by_path(labelled: DataFrame) -> dict[str, bool]:
    return {path: row["training"] for path, row in by_path(labelled).items()}


def test_large_tables_are_sampled_with_photos_of_every_label() -> None:
    paths = [*paths_of("Training", ["Fig"], 3000), *paths_of("Training", ["Kiwi"], 20)]
    counts = pd.DataFrame({"batch": ["000001"], "photos": [len(paths)]})
    limited = PARAMETERS.model_copy(
        update={"photos_per_label": 9000, "max_photos": 200}
    )
    rows = select_labelled(reduced(paths), counts, limited)
    found = {
        row["label"]: row["count"] for row in rows.groupBy("label").count().collect()
    }
    assert found["Kiwi"] == 20
    assert 80 < found["Fig"] < 220


def test_training_photos_are_chosen_by_split(labelled: DataFrame) -> None:
    expected = {path: path.startswith("Training") for path in PATHS}
    assert training_by_path(labelled) == expected


def test_rows_are_sorted_and_keep_vectors_and_batch(labelled: DataFrame) -> None:
    rows = labelled.collect()
    assert [row.path for row in rows] == sorted(PATHS)
    assert {row.batch for row in rows} == {"000001"}
    for row in rows:
        assert np.allclose(row.components, vector(row.path))
    columns = [*schemas.REDUCED.names, "batch", "group", "training", "calibrates"]
    assert labelled.columns == columns


def test_selection_is_lazy() -> None:
    lazy = map_arrow(reduced(["Test/Fig/1"]), fail_if_read, schemas.REDUCED)
    assert "training" in select_labelled(lazy, COUNTS, PARAMETERS).columns


@pytest.mark.parametrize("split", ["train", "TRAIN", "training"])
def test_splits_are_case_insensitive(spark: object, split: str) -> None:
    rows = select_labelled(reduced(paths_of(split, ["Fig"], 1)), COUNTS, PARAMETERS)
    assert [*training_by_path(rows).values()] == [True]


def test_photos_without_a_split_are_divided_at_random(spark: object) -> None:
    photos = reduced(paths_of("-", ["Fig", "Kiwi"], 40), split=None)
    training = training_by_path(select_labelled(photos, COUNTS, PARAMETERS))
    assert 0.3 < np.mean([*training.values()]) < 0.7
    assert training_by_path(select_labelled(photos, COUNTS, PARAMETERS)) == training


def test_seed_changes_the_test_photos(spark: object) -> None:
    photos = reduced(paths_of("-", ["Fig"], 40), split=None)
    other = PARAMETERS.model_copy(update={"seed": 2})
    first, second = (select_labelled(photos, COUNTS, p) for p in (PARAMETERS, other))
    assert training_by_path(first) != training_by_path(second)


def test_series_is_not_divided(spark: object) -> None:
    photos = reduced(paths_of("-", ["Fig"], 30), split=None, series="Fig/r")
    rows = by_path(select_labelled(photos, COUNTS, PARAMETERS)).values()
    assert len({row["training"] for row in rows}) == 1
    assert {row["group"] for row in rows} == {"Fig/r"}


def test_photo_without_a_series_is_its_own_group(labelled: DataFrame) -> None:
    groups = {path: row["group"] for path, row in by_path(labelled).items()}
    assert groups == {path: f"id of {path}" for path in PATHS}


def test_photos_per_label_and_split_are_limited(spark: object) -> None:
    paths = [*paths_of("Training", ["Fig"]), *paths_of("Test", ["Fig"])]
    limited = PARAMETERS.model_copy(update={"photos_per_label": 3})
    rows = by_path(select_labelled(reduced(paths), COUNTS, limited))
    assert len(rows) == 6
    assert sum(row["training"] for row in rows.values()) == 3


def test_photos_without_a_label_are_excluded(spark: object) -> None:
    photos = reduced(paths_of("Training", ["Fig"]), label=None)
    assert select_labelled(photos, COUNTS, PARAMETERS).count() == 0


def test_classifier_has_the_labels_of_the_training_photos(
    classifier: FittedClassifier, pca: FittedPca
) -> None:
    assert classifier.model.labels == ("Fig", "Kiwi")
    assert classifier.pca == pca.model.digest


def test_test_photos_are_classified(answers: pd.DataFrame) -> None:
    found = answers.set_index("path")
    assert len(found) == 6
    for path in paths_of("Test", ["Fig", "Kiwi"], 2):
        assert found.loc[path, "named"] == found.loc[path, "label"]
    assert found.loc["Test/Lime/0.jpg", ["rank"]].isna().all()
    assert not found["series_learned"].any()


def test_test_photos_of_a_training_series_are_marked(
    spark: object, classifier: FittedClassifier
) -> None:
    photos = reduced([*paths_of("Training", ["Fig"]), "Test/Fig/0.jpg"], series="Fig/r")
    table = select_labelled(photos, COUNTS, PARAMETERS)
    found = answer_photos(table, classifier, PARAMETERS)
    assert found["series_learned"].tolist() == [True]


def calibrated(photos: int) -> tuple[FittedClassifier, pd.DataFrame]:
    """Return a classifier and answers, with so many photos in a split for calibration."""
    paths = [
        *(path for path in PATHS if not path.startswith("Test/Lime")),
        *paths_of("Training", ["Lime"], 3),
        *paths_of("Val", ["Fig", "Kiwi"], photos // 2),
        "Val/Papaya/0.jpg",
    ]
    table = select_labelled(reduced(paths), COUNTS, PARAMETERS)
    model = calibration.fit(collect_photos(table).training, 1)
    fitted = train_classifier(table, FittedPca(PCA, ("000001",)), PARAMETERS)
    answers = answer_photos(table, fitted, PARAMETERS)
    assert (fitted.model.threshold == model.threshold) == (photos < MIN_PHOTOS)
    return fitted, answers


def test_splits_for_calibration_are_evaluated_and_counted(spark: object) -> None:
    fitted, answers = calibrated(MIN_PHOTOS)
    by_split = answers.groupby(answers["split"].str.lower())["calibrates"]
    assert by_split.sum().to_dict() == {"test": 0, "val": MIN_PHOTOS + 1}
    assert by_split.size().to_dict() == {"test": 4, "val": MIN_PHOTOS + 1}
    found = evaluate_answers(answers, fitted, COUNTS, PARAMETERS)
    assert found["calibration_photos"] == MIN_PHOTOS + 1
    assert found["photos"] == MIN_PHOTOS + 5


def test_too_few_photos_for_calibration_are_test_photos(spark: object) -> None:
    fitted, answers = calibrated(MIN_PHOTOS - 2)
    assert not answers["calibrates"].any()
    found = evaluate_answers(answers, fitted, COUNTS, PARAMETERS)
    assert found["calibration_photos"] == 0


def test_training_splits_are_not_for_calibration(spark: object) -> None:
    both = PARAMETERS.model_copy(update={"calibrated_splits": ["train", "training"]})
    rows = select_labelled(reduced(PATHS), COUNTS, both).collect()
    assert any(row["training"] for row in rows)
    assert not any(row["calibrates"] for row in rows)


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (paths_of("Training", ["Fig"]), "8 photos of 1 label"),
        (paths_of("Test", ["Fig", "Kiwi"]), "0 photos of 0 label"),
    ],
)
def test_fewer_than_two_labels_are_rejected(
    spark: object, pca: FittedPca, paths: list[str], found: str
) -> None:
    table = select_labelled(reduced(paths), COUNTS, PARAMETERS)
    with pytest.raises(FruitsError) as caught:
        train_classifier(table, pca, PARAMETERS)
    assert found in str(caught.value)
    assert "classify.training_splits" in str(caught.value)


def test_label_with_one_photo_is_learned(spark: object, pca: FittedPca) -> None:
    paths = [*paths_of("Training", ["Fig", "Kiwi"]), "Training/Lime/0.jpg"]
    table = select_labelled(reduced(paths), COUNTS, PARAMETERS)
    model = train_classifier(table, pca, PARAMETERS).model
    assert model.labels == ("Fig", "Kiwi", "Lime")


def test_no_test_photos_are_reported(
    spark: object, classifier: FittedClassifier
) -> None:
    table = select_labelled(reduced(paths_of("Training", ["Fig"])), COUNTS, PARAMETERS)
    with pytest.raises(FruitsError, match=r"classify\.test_share"):
        answer_photos(table, classifier, PARAMETERS)


def test_evaluation_counts_photos_of_unknown_labels(
    answers: pd.DataFrame, classifier: FittedClassifier
) -> None:
    found = evaluate_answers(answers, classifier, COUNTS, PARAMETERS)
    assert (found["photos"], found["unknown_photos"], found["accuracy"]) == (6, 2, 1.0)


def test_confusion_matrix_has_a_row_for_each_label(answers: pd.DataFrame) -> None:
    (heat,) = confusion_matrix(answers).data
    assert [*heat.y] == ["Fig", "Kiwi", "Lime"]
    assert heat.x[-1] == UNKNOWN
    np.testing.assert_allclose(np.sum(heat.z, axis=1), 100)


def test_answers_name_the_most_similar_training_photo(answers: pd.DataFrame) -> None:
    same = answers[answers["label"] != "Lime"]
    assert (same["nearest_label"] == same["label"]).all()
    assert answers["nearest_path"].str.startswith("Training/").all()
    assert (answers["nearest_similarity"] > 0).any()


def test_wrong_answers_and_refusals_are_drawn(answers: pd.DataFrame) -> None:
    changed = answers.assign(right=False, named="Lime", rank=2.0)
    changed.loc[:1, "answer"], changed.loc[2:, "answer"] = "Lime", None
    shown = show_answers(changed, images(PATHS), PARAMETERS)
    assert len(shown) == 4
    assert shown["image"].notna().all()
    assert shown["nearest_image"].notna().all()
    titles = [
        draw(shown, changed).axes[0].texts[0].get_text()
        for draw in (draw_wrong_answers, draw_refusals)
    ]
    assert titles == [
        "2 of 2 answers wrong",
        "4 of 6 photos refused, although 0 most probable labels are correct; "
        "the 2 most probable shown",
    ]
    thumbnails = make_answer_thumbnails(shown)
    assert {*thumbnails["path"]} == {*shown["path"], *shown["nearest_path"]}


def test_sheets_without_mistakes_have_only_a_title(answers: pd.DataFrame) -> None:
    all_right = answers.assign(right=True, rank=float("nan"))
    shown = show_answers(all_right, images(PATHS), PARAMETERS)
    for draw in (draw_wrong_answers, draw_refusals):
        assert len(draw(shown, all_right).axes[0].texts) == 1
    assert make_answer_thumbnails(shown).empty


def test_card_of_the_phone_model_describes_its_parts(
    backbone: Backbone, pca: FittedPca
) -> None:
    weights = np.zeros((len(pca.model.components), 2))
    model = Classifier(("Fig", "Kiwi"), weights, np.zeros(2), 0.7)
    fitted = FittedClassifier(model, pca.model.digest)
    featurize = FeaturizeParameters(fit="crop")
    card = build_phone_model(backbone, pca, fitted, featurize, PREPROCESS).card
    assert (card.fit, card.short_side, card.threshold) == ("crop", 64, 0.7)
    assert (card.backbone, card.pca) == (backbone.card.sha256, pca.model.digest)
    other = FittedClassifier(model, "other")
    with pytest.raises(FruitsError, match="of different runs"):
        build_phone_model(backbone, pca, other, featurize, PREPROCESS)
