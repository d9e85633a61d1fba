import numpy as np
import pytest

from fruits_pipeline.models import calibration
from fruits_pipeline.models.calibration import best_threshold, fit
from fruits_pipeline.models.classifiers import UNKNOWN, Labelled, softmax


def blurred(photos: int, noise: float, seed: int = 0, labels: int = 6) -> Labelled:
    """Return photos of labels in 16 dimensions, every photo a film by itself."""
    rng = np.random.default_rng(seed)
    middles = 3 * np.random.default_rng(99).normal(size=(labels, 16))
    of = np.repeat(np.arange(labels), photos)
    vectors = middles[of] + noise * rng.normal(size=(len(of), 16))
    names = np.array([f"fruit {i}" for i in of])
    return Labelled(vectors, names, np.arange(len(of)).astype(str))


def test_probabilities_of_new_photos_are_as_often_right_as_they_say() -> None:
    model = fit(blurred(60, noise=5), seed=1)
    asked = blurred(400, noise=5, seed=1)
    probabilities = model.probabilities(asked.vectors)
    right = np.array(model.labels)[probabilities.argmax(axis=1)] == asked.labels
    assert 0.6 < right.mean() < 0.95  # hard enough to tell
    assert abs(probabilities.max(axis=1).mean() - right.mean()) < 0.05


def test_a_fit_is_the_same_again() -> None:
    first, again = (fit(blurred(30, noise=4), seed=1) for _ in range(2))
    np.testing.assert_array_equal(first.weights, again.weights)
    assert first.threshold == again.threshold


def test_photos_of_labels_that_were_not_learned_are_mostly_unknown() -> None:
    photos = blurred(60, noise=1)
    learned = ~np.isin(photos.labels, ["fruit 4", "fruit 5"])
    model = fit(photos.where(learned), seed=1)
    strangers = model.answers(model.probabilities(photos.where(~learned).vectors))
    known = model.answers(model.probabilities(photos.where(learned).vectors))
    assert (strangers == UNKNOWN).mean() > 0.8
    assert (known == UNKNOWN).mean() < 0.1


def test_films_are_never_torn_apart() -> None:
    photos = blurred(30, noise=1)
    films = np.array([f"film {i // 10}" for i in range(len(photos.labels))])
    filmed = Labelled(photos.vectors, photos.labels, films)
    for learned, asked in calibration._folds(filmed, 1):
        assert not {*films[learned]} & {*films[asked]}


def test_where_each_label_has_one_film_its_photos_are_told_apart() -> None:
    photos = blurred(30, noise=5)
    groups = (photos.labels, np.arange(len(photos.labels)))
    torn, single = (
        fit(Labelled(photos.vectors, photos.labels, of), seed=1) for of in groups
    )
    np.testing.assert_allclose(torn.weights, single.weights)
    assert 0 < torn.threshold < 1


def test_folds_that_ask_about_strangers_alone_say_nothing() -> None:
    labels, films = np.array(["a", "b", "a", "b"]), np.array(["1", "2", "1", "3"])
    few = Labelled(np.eye(4), labels, films)
    assert np.isfinite(fit(few, seed=1).weights).all()


def test_a_label_of_one_film_counts_neither_for_nor_against() -> None:
    photos = blurred(20, noise=1, labels=3)
    films = np.where(photos.labels == "fruit 0", "one", photos.groups)
    filmed = Labelled(photos.vectors, photos.labels, films)
    scores = calibration._out_of_fold(filmed, calibration._folds(filmed, 1), 1.0)
    learned = calibration._learned(filmed, scores)
    np.testing.assert_array_equal(learned, photos.labels != "fruit 0")
    assert np.isfinite(calibration._log_loss(filmed, scores))


@pytest.mark.parametrize("films", [["one"] * 5, list("abcde")])
def test_too_few_photos_to_set_any_apart_are_learned_plainly(films: list[str]) -> None:
    vectors = np.array([[0.0, 1], [0, 2], [5, 1], [5, 2], [9, 9]])
    names = np.array(["a", "a", "b", "b", "only one photo"])
    model = fit(Labelled(vectors, names, np.array(films)), seed=1)
    assert model.labels == ("a", "b", "only one photo")
    best = model.probabilities(vectors).argmax(axis=1)
    assert [*best] == [0, 0, 1, 1, 2]


def test_a_threshold_parts_known_from_unknown() -> None:
    assert best_threshold(np.array([0.9, 0.8, 0.7]), np.array([0.3, 0.6])) == 0.7


def test_a_threshold_gives_up_as_few_as_it_can() -> None:
    known = np.array([0.95] * 8 + [0.1, 0.2])
    unknown = np.array([0.15, 0.3, 0.4, 0.5, 0.97])
    assert best_threshold(known, unknown) == 0.95


def test_without_unknown_photos_everything_is_answered() -> None:
    assert best_threshold(np.array([0.4, 0.9]), np.empty(0)) == 0


def test_a_temperature_undoes_scores_that_are_too_sure() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(4000, 3))
    said = [rng.choice(3, p=row) for row in softmax(scores)]
    known = Labelled(scores, np.array(list("abc"))[said], np.arange(4000))
    found = calibration._temperature(known, 4 * scores)
    assert found == pytest.approx(4, rel=0.1)
