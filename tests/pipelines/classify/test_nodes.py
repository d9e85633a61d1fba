from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from making import BACKBONE, batches, jpeg, key_of

from fruits_pipeline import schemas
from fruits_pipeline.backbones import Backbone
from fruits_pipeline.batches import Batches
from fruits_pipeline.classifiers import UNKNOWN, Classifier
from fruits_pipeline.datasets import BackboneFolder, FittedClassifier, FittedPca
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.moments import moments_of
from fruits_pipeline.parameters import (
    ClassifyParameters,
    FeaturizeParameters,
    PreprocessParameters,
)
from fruits_pipeline.pca import fit
from fruits_pipeline.pipelines.classify.nodes import (
    answer_photos,
    build_phone_model,
    draw_mistakes,
    evaluate_answers,
    plot_confusion,
    select_labelled,
    train_classifier,
)

pytestmark = pytest.mark.usefixtures("spark")

PARAMETERS = ClassifyParameters(
    learned_splits=["training", "train"],
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


def tables(paths: Sequence[str], **columns: Any) -> tuple[Batches, Batches]:
    """Return `reduced` and `images` of photos, in one batch."""
    keys = [key_of(path) | columns for path in paths]
    images = [key | {"image": jpeg(i)} for i, key in enumerate(keys)]
    vectors = [key | {"components": vector(key["path"])} for key in keys]
    return (
        batches({"000001": vectors}, schemas.REDUCED),
        batches({"000001": images}, schemas.IMAGES),
    )


def paths_of(split: str, labels: Sequence[str], photos: int = 8) -> list[str]:
    return [f"{split}/{label}/{i}.jpg" for label in labels for i in range(photos)]


TAKEN = [*paths_of("Training", ["Fig", "Kiwi"]), *paths_of("Test", [*MIDDLES], 2)]


@pytest.fixture(scope="module")
def labelled(spark: object) -> pa.Table:
    return select_labelled(*tables(TAKEN), PARAMETERS)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return BackboneFolder(filepath=str(BACKBONE)).load()


@pytest.fixture(scope="module")
def pca(backbone: Backbone) -> FittedPca:
    features = np.random.default_rng(0).normal(size=(20, backbone.card.width))
    model = fit(moments_of(features), 0.05, standardise=False, max_components=None)
    return FittedPca(model, ("000001",), {})


@pytest.fixture(scope="module")
def classifier(labelled: pa.Table, pca: FittedPca) -> FittedClassifier:
    return train_classifier(labelled, pca, PARAMETERS)


@pytest.fixture(scope="module")
def answers(labelled: pa.Table, classifier: FittedClassifier) -> pd.DataFrame:
    return answer_photos(labelled, classifier)


def test_splits_say_what_is_learned(labelled: pa.Table) -> None:
    learned = dict(
        zip(labelled["path"].to_pylist(), labelled["learned"].to_pylist(), strict=True)
    )
    assert learned == {path: path.startswith("Training") for path in TAKEN}


@pytest.mark.parametrize("split", ["train", "TRAIN", "training"])
def test_splits_are_compared_in_any_case(spark: object, split: str) -> None:
    table = select_labelled(*tables(paths_of(split, ["Fig"], 1)), PARAMETERS)
    assert table["learned"].to_pylist() == [True]


def test_without_splits_chance_says_what_is_kept_for_the_test(spark: object) -> None:
    paths = paths_of("-", ["Fig", "Kiwi"], 40)
    reduced, images = tables(paths, split=None)
    table = select_labelled(reduced, images, PARAMETERS)
    share = np.mean(table["learned"].to_pylist())
    assert 0.3 < share < 0.7
    again = select_labelled(reduced, images, PARAMETERS)
    assert again["learned"].to_pylist() == table["learned"].to_pylist()


def test_photos_of_a_film_stay_together(spark: object) -> None:
    reduced, images = tables(paths_of("-", ["Fig"], 30), split=None, series="Fig/r")
    table = select_labelled(reduced, images, PARAMETERS)
    assert len({*table["learned"].to_pylist()}) == 1
    assert {*table["film"].to_pylist()} == {"Fig/r"}


def test_only_labelled_photos_are_taken_and_no_more_than_so_many(spark: object) -> None:
    paths = [*paths_of("Training", ["Fig"]), *paths_of("Test", ["Fig"])]
    few = PARAMETERS.model_copy(update={"photos_per_label": 3})
    assert select_labelled(*tables(paths), few).num_rows == 6
    assert select_labelled(*tables(paths, label=None), few).num_rows == 0


def test_of_a_photo_the_newest_version_is_taken(spark: object) -> None:
    path, spoilt = "Training/Fig/0.jpg", "Training/Fig/1.jpg"
    old = [key_of(path) | {"components": [1.0]}, key_of(spoilt) | {"components": [2.0]}]
    new = [key_of(path) | {"components": [3.0]}]
    images = {
        "000001": [key_of(path), key_of(spoilt)],
        "000002": [key_of(path), key_of(spoilt) | {"error": "torn"}],
    }
    reduced = batches({"000001": old, "000002": new}, schemas.REDUCED)
    table = select_labelled(reduced, batches(images, schemas.IMAGES), PARAMETERS)
    assert table["components"].to_pylist() == [[3.0]]


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
    table = select_labelled(*tables(paths), PARAMETERS)
    with pytest.raises(FruitsError) as refused:
        train_classifier(table, pca, PARAMETERS)
    assert found in str(refused.value)
    assert "classify.learned_splits" in str(refused.value)


def test_a_label_of_one_photo_is_learned(spark: object, pca: FittedPca) -> None:
    paths = [*paths_of("Training", ["Fig", "Kiwi"]), "Training/Lime/0.jpg"]
    table = select_labelled(*tables(paths), PARAMETERS)
    model = train_classifier(table, pca, PARAMETERS).model
    assert model.labels == ("Fig", "Kiwi", "Lime")


def test_nothing_to_test_with_is_refused_in_words(
    spark: object, classifier: FittedClassifier
) -> None:
    table = select_labelled(*tables(paths_of("Training", ["Fig"])), PARAMETERS)
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
    _, images = tables(TAKEN)
    all_wrong = answers.assign(right=False)
    (axes,) = draw_mistakes(all_wrong, images, PARAMETERS).axes
    said = [text.get_text() for text in axes.texts]
    assert said[0] == "6 of 6 photos answered wrongly, the 2 surest shown"
    assert sum(": said " in text for text in said) == 2


def test_without_mistakes_the_sheet_says_so(
    spark: object, answers: pd.DataFrame
) -> None:
    _, images = tables(TAKEN)
    (axes,) = draw_mistakes(answers.assign(right=True), images, PARAMETERS).axes
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
