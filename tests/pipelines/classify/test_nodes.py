from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from factories import BACKBONE, by_path, frame, jpeg, key_of
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import BackboneFolder, FittedClassifier, FittedPca
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.classifiers import UNKNOWN, Classifier
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import fit
from fruits_pipeline.parameters import (
    ClassifyParameters,
    FeaturizeParameters,
    PreprocessParameters,
)
from fruits_pipeline.pipelines.classify.nodes import (
    answer_photos,
    build_phone_model,
    draw_mistakes,
    evaluate_answers,
    plot_confusion,
    select_labelled,
    train_classifier,
)
from fruits_pipeline.spark.frames import map_arrow
from fruits_pipeline.spark.parts import Rows

pytestmark = pytest.mark.usefixtures("spark")

PARAMETERS = ClassifyParameters(
    training_splits=["training", "train"],
    test_share=0.5,
    photos_per_label=100,
    mistakes_shown=2,
    seed=1,
)
PREPROCESS = PreprocessParameters(short_side=64, max_pixels=10**6, max_error_rate=0.05)
MIDDLES = {"Fig": (9.0, 0.0), "Kiwi": (0.0, 9.0), "Lime": (-9.0, -9.0)}


def vector(path: str) -> list[float]:
    """Return a vector near the middle of the label."""
    noise = np.random.default_rng(len(path) + sum(map(ord, path))).normal(size=2)
    return [*(np.array(MIDDLES.get(path.split("/")[1], (0, 0))) + noise)]


def reduced(paths: Sequence[str], **columns: Any) -> DataFrame:
    """Return the table `reduced` of photos, in one batch."""
    rows = [key_of(path) | {"components": vector(path)} | columns for path in paths]
    return frame(rows, schemas.REDUCED, batch="000001")


def images(paths: Sequence[str]) -> DataFrame:
    """Return the table `images` of photos, in one batch."""
    rows = [key_of(path) | {"image": jpeg(i)} for i, path in enumerate(paths)]
    return frame(rows, schemas.IMAGES, batch="000001")


def paths_of(split: str, labels: Sequence[str], photos: int = 8) -> list[str]:
    return [f"{split}/{label}/{i}.jpg" for label in labels for i in range(photos)]


TAKEN = [*paths_of("Training", ["Fig", "Kiwi"]), *paths_of("Test", [*MIDDLES], 2)]


@pytest.fixture(scope="module")
def labelled(spark: object) -> DataFrame:
    return select_labelled(reduced(TAKEN), PARAMETERS).cache()


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return BackboneFolder(filepath=str(BACKBONE)).load()


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
    return answer_photos(labelled, classifier)


def learned_of(labelled: DataFrame) -> dict[str, bool]:
    return {path: row["learned"] for path, row in by_path(labelled).items()}


def test_splits_say_what_is_learned(labelled: DataFrame) -> None:
    expected = {path: path.startswith("Training") for path in TAKEN}
    assert learned_of(labelled) == expected


def test_rows_are_sorted_by_path_and_keep_their_vectors_and_batch(
    labelled: DataFrame,
) -> None:
    rows = labelled.collect()
    assert [row.path for row in rows] == sorted(TAKEN)
    assert {row.batch for row in rows} == {"000001"}
    for row in rows:
        assert np.allclose(row.components, vector(row.path))
    names = [*schemas.REDUCED.names, "batch", "film", "learned"]
    assert labelled.columns == names


def test_nothing_is_read_before_it_is_asked_for() -> None:
    def unread(rows: Rows) -> Rows:
        raise AssertionError("vectors were read")
        yield from rows

    lazily = map_arrow(reduced(["Test/Fig/1"]), unread, schemas.REDUCED)
    assert "learned" in select_labelled(lazily, PARAMETERS).columns


@pytest.mark.parametrize("split", ["train", "TRAIN", "training"])
def test_splits_are_compared_in_any_case(spark: object, split: str) -> None:
    rows = select_labelled(reduced(paths_of(split, ["Fig"], 1)), PARAMETERS)
    assert [*learned_of(rows).values()] == [True]


def test_without_splits_chance_says_what_is_kept_for_the_test(spark: object) -> None:
    photos = reduced(paths_of("-", ["Fig", "Kiwi"], 40), split=None)
    learned = learned_of(select_labelled(photos, PARAMETERS))
    assert 0.3 < np.mean([*learned.values()]) < 0.7
    assert learned_of(select_labelled(photos, PARAMETERS)) == learned


def test_another_seed_keeps_other_photos_for_the_test(spark: object) -> None:
    photos = reduced(paths_of("-", ["Fig"], 40), split=None)
    other = PARAMETERS.model_copy(update={"seed": 2})
    first, second = (select_labelled(photos, p) for p in (PARAMETERS, other))
    assert learned_of(first) != learned_of(second)


def test_photos_of_a_film_stay_together(spark: object) -> None:
    photos = reduced(paths_of("-", ["Fig"], 30), split=None, series="Fig/r")
    rows = by_path(select_labelled(photos, PARAMETERS)).values()
    assert len({row["learned"] for row in rows}) == 1
    assert {row["film"] for row in rows} == {"Fig/r"}


def test_a_photo_of_no_film_is_one_by_itself(labelled: DataFrame) -> None:
    films = {path: row["film"] for path, row in by_path(labelled).items()}
    assert films == {path: f"id of {path}" for path in TAKEN}


def test_only_labelled_photos_are_taken_and_no_more_than_so_many(spark: object) -> None:
    paths = [*paths_of("Training", ["Fig"]), *paths_of("Test", ["Fig"])]
    few = PARAMETERS.model_copy(update={"photos_per_label": 3})
    taken = by_path(select_labelled(reduced(paths), few))
    assert len(taken) == 6
    assert sum(row["learned"] for row in taken.values()) == 3
    assert select_labelled(reduced(paths, label=None), few).count() == 0


def test_a_classifier_learns_the_labels_of_the_training_alone(
    classifier: FittedClassifier, pca: FittedPca
) -> None:
    assert classifier.model.labels == ("Fig", "Kiwi")
    assert classifier.pca == pca.model.digest


def test_photos_of_the_test_are_answered(answers: pd.DataFrame) -> None:
    found = answers.set_index("path")
    assert len(found) == 6
    for path in paths_of("Test", ["Fig", "Kiwi"], 2):
        assert found.loc[path, "named"] == found.loc[path, "label"]
    assert found.loc["Test/Lime/0.jpg", ["rank"]].isna().all()
    assert not found["film_learned"].any()


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (paths_of("Training", ["Fig"]), "8 photos of 1 label"),
        (paths_of("Test", ["Fig", "Kiwi"]), "0 photos of 0 label"),
    ],
)
def test_fewer_than_two_labels_are_refused_in_words(
    spark: object, pca: FittedPca, paths: list[str], found: str
) -> None:
    table = select_labelled(reduced(paths), PARAMETERS)
    with pytest.raises(FruitsError) as refused:
        train_classifier(table, pca, PARAMETERS)
    assert found in str(refused.value)
    assert "classify.training_splits" in str(refused.value)


def test_a_label_of_one_photo_is_learned(spark: object, pca: FittedPca) -> None:
    paths = [*paths_of("Training", ["Fig", "Kiwi"]), "Training/Lime/0.jpg"]
    table = select_labelled(reduced(paths), PARAMETERS)
    model = train_classifier(table, pca, PARAMETERS).model
    assert model.labels == ("Fig", "Kiwi", "Lime")


def test_nothing_to_test_with_is_refused_in_words(
    spark: object, classifier: FittedClassifier
) -> None:
    table = select_labelled(reduced(paths_of("Training", ["Fig"])), PARAMETERS)
    with pytest.raises(FruitsError, match=r"classify\.test_share"):
        answer_photos(table, classifier)


def test_the_evaluation_counts_labels_that_were_never_learned(
    answers: pd.DataFrame, classifier: FittedClassifier
) -> None:
    found = evaluate_answers(answers, classifier)
    assert (found["photos"], found["unknown_photos"], found["accuracy"]) == (6, 2, 1.0)


def test_the_confusion_has_a_row_for_every_label(answers: pd.DataFrame) -> None:
    (heat,) = plot_confusion(answers).data
    assert [*heat.y] == ["Fig", "Kiwi", "Lime"]
    assert heat.x[-1] == UNKNOWN
    np.testing.assert_allclose(np.sum(heat.z, axis=1), 100)


def test_mistakes_are_drawn_with_their_photos(
    spark: object, answers: pd.DataFrame
) -> None:
    all_wrong = answers.assign(right=False)
    (axes,) = draw_mistakes(all_wrong, images(TAKEN), PARAMETERS).axes
    said = [text.get_text() for text in axes.texts]
    assert said[0] == "6 of 6 photos answered wrongly, the 2 surest shown"
    assert sum(": said " in text for text in said) == 2


def test_without_mistakes_the_sheet_says_so(
    spark: object, answers: pd.DataFrame
) -> None:
    all_right = answers.assign(right=True)
    (axes,) = draw_mistakes(all_right, images(TAKEN), PARAMETERS).axes
    assert [text.get_text() for text in axes.texts] == [
        "0 of 6 photos answered wrongly"
    ]


def test_a_phone_model_says_what_it_was_made_of(
    backbone: Backbone, pca: FittedPca
) -> None:
    weights = np.zeros((len(pca.model.components), 2))
    model = Classifier(("Fig", "Kiwi"), weights, np.zeros(2), 0.7)
    parts = (FeaturizeParameters(fit="crop"), PREPROCESS)
    fitted = FittedClassifier(model, pca.model.digest)
    card = build_phone_model(backbone, pca, fitted, *parts).card
    assert (card.fit, card.short_side, card.threshold) == ("crop", 64, 0.7)
    assert (card.backbone, card.pca) == (backbone.card.sha256, pca.model.digest)
    with pytest.raises(FruitsError, match="not made one from the other"):
        build_phone_model(backbone, pca, FittedClassifier(model, "other"), *parts)
