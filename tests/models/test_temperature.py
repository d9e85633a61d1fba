from dataclasses import replace

import numpy as np
import pytest

from fruits_pipeline.models.classifiers import (
    Classifier,
    LabelledVectors,
    fit_logistic_regression,
)
from fruits_pipeline.models.temperature import (
    FOLDS,
    MIN_PHOTOS,
    RIGHT_OF_ANSWERED,
    calibrate,
    calibrating_rows,
    cross_fit,
)


def noisy_vectors(count: int, seed: int, labels: int = 6) -> LabelledVectors:
    """Return photos around a corner of a cube per label, each of its own series."""
    rng = np.random.default_rng(seed)
    numbers = np.arange(count) % labels
    vectors = np.eye(labels, 8)[numbers] + rng.normal(0, 0.35, (count, 8))
    names = np.array([f"fruit {number}" for number in numbers])
    return LabelledVectors(vectors, names, np.arange(count).astype(str))


def scaled(model: Classifier, factor: float) -> Classifier:
    return replace(model, weights=model.weights * factor, bias=model.bias * factor)


PHOTOS = noisy_vectors(600, seed=1)
MODEL = fit_logistic_regression(noisy_vectors(600, seed=2), 10.0)
CONFIDENT = scaled(MODEL, 5)


def test_probabilities_and_share_of_right_answers_are_those_of_new_photos() -> None:
    new = noisy_vectors(5000, seed=3)
    model = calibrate(CONFIDENT, PHOTOS)
    probabilities = model.probabilities(new.vectors)
    right = model.predict_labels(probabilities) == new.labels
    assert 0.6 < right.mean() < 0.95
    assert probabilities.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.03)
    answered = probabilities.max(axis=1) >= model.threshold
    assert right[answered].mean() > RIGHT_OF_ANSWERED - 0.02
    assert answered.mean() > 0.3


def test_labels_do_not_change() -> None:
    model = calibrate(CONFIDENT, PHOTOS)
    for before, after in ((CONFIDENT, model), (MODEL, model)):
        assert (
            before.logits(PHOTOS.vectors).argmax(axis=1)
            == after.logits(PHOTOS.vectors).argmax(axis=1)
        ).all()


@pytest.mark.parametrize("factor", [0.5, 3])
def test_result_does_not_depend_on_the_temperature_before(factor: float) -> None:
    expected = calibrate(MODEL, PHOTOS)
    found = calibrate(scaled(expected, factor), PHOTOS)
    np.testing.assert_allclose(found.weights, expected.weights, rtol=1e-3)
    assert found.threshold == pytest.approx(expected.threshold, abs=1e-3)


def test_photos_without_mistakes_make_probabilities_at_most_twice_as_confident() -> (
    None
):
    model = calibrate(MODEL, noisy_vectors(60, seed=1).where(_right(MODEL, 60)))
    assert np.abs(model.weights / MODEL.weights).max() <= 2.001


def _right(model: Classifier, count: int) -> np.ndarray:
    photos = noisy_vectors(count, seed=1)
    found = model.predict_labels(model.logits(photos.vectors))
    return np.asarray(found == photos.labels)


def test_photos_of_other_labels_raise_the_threshold() -> None:
    rng = np.random.default_rng(4)
    others = LabelledVectors(
        np.eye(6, 8)[rng.integers(0, 6, 400)],
        np.full(400, "not learned"),
        np.arange(1000, 1400).astype(str),
    )
    parts = zip(*(vars(p).values() for p in (PHOTOS, others)), strict=True)
    both = LabelledVectors(*(np.concatenate(part) for part in parts))
    expected, found = calibrate(MODEL, PHOTOS), calibrate(MODEL, both)
    np.testing.assert_allclose(found.weights, expected.weights, rtol=1e-6)
    assert found.threshold > expected.threshold


def test_larger_share_of_right_answers_needs_a_larger_threshold() -> None:
    thresholds = [calibrate(MODEL, PHOTOS, right).threshold for right in (0.9, 0.99)]
    assert thresholds[0] < thresholds[1]
    rows = np.ones(600, bool)
    _, apart = cross_fit(MODEL, PHOTOS, rows, 1, 0.99)
    assert apart.mean() == pytest.approx(thresholds[1], abs=0.02)


def test_two_labels_have_a_reliable_threshold() -> None:
    model = fit_logistic_regression(noisy_vectors(60, seed=2, labels=2), 10.0)
    assert 0 < calibrate(model, noisy_vectors(60, seed=1, labels=2)).threshold < 1


def test_photos_of_training_series_do_not_calibrate() -> None:
    rows = calibrating_rows(PHOTOS, PHOTOS.where(np.arange(600) < 100))
    np.testing.assert_array_equal(rows, np.arange(600) >= 100)


def test_too_few_photos_do_not_calibrate() -> None:
    training = replace(PHOTOS, groups=np.char.add("training ", PHOTOS.groups))
    enough = PHOTOS.where(np.arange(MIN_PHOTOS))
    assert calibrating_rows(enough, training).all()
    assert not calibrating_rows(enough.where(slice(1, None)), training).any()  # type: ignore[arg-type]
    unlearned = replace(enough, labels=np.full(MIN_PHOTOS, "not learned"))
    assert not calibrating_rows(unlearned, training).any()


@pytest.mark.parametrize(("series", "enough"), [(FOLDS, True), (FOLDS - 1, False)])
def test_too_few_series_do_not_calibrate(series: int, enough: bool) -> None:
    training = replace(PHOTOS, groups=np.char.add("training ", PHOTOS.groups))
    groups = (np.arange(600) % series).astype(str)
    rows = calibrating_rows(replace(PHOTOS, groups=groups), training)
    assert (rows == enough).all()


def test_photos_are_evaluated_without_their_own_series() -> None:
    photos = PHOTOS.where(np.arange(100))
    photos = replace(photos, groups=(np.arange(100) // 10).astype(str))
    rows = np.arange(100) < 60
    model = calibrate(CONFIDENT, photos.where(rows))
    _, before = cross_fit(model, photos, rows, seed=1)
    wrong = replace(
        photos, labels=np.where(photos.groups == "0", "fruit 5", photos.labels)
    )
    _, after = cross_fit(model, wrong, rows, seed=1)
    same = before == after
    assert same[photos.groups == "0"].all()
    assert not same[rows].all()


def test_other_photos_are_answered_as_by_the_classifier() -> None:
    rows = np.arange(600) < 60
    model = calibrate(CONFIDENT, PHOTOS.where(rows))
    probabilities, thresholds = cross_fit(model, PHOTOS, rows, seed=1)
    expected = model.probabilities(PHOTOS.vectors)
    np.testing.assert_array_equal(probabilities[~rows], expected[~rows])
    assert (thresholds[~rows] == model.threshold).all()
    assert (thresholds[rows] != model.threshold).any()
    probabilities, thresholds = cross_fit(model, PHOTOS, np.zeros(600, bool), seed=1)
    np.testing.assert_array_equal(probabilities, expected)
    assert (thresholds == model.threshold).all()
