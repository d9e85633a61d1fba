import numpy as np
import pytest

from fruits_pipeline.models.calibration import (
    fit,
    label_folds,
    series_folds,
)
from fruits_pipeline.models.classifiers import LabelledVectors
from fruits_pipeline.models.temperature import calibrate


def normal_vectors(
    photos: int, noise: float, seed: int = 0, labels: int = 6
) -> LabelledVectors:
    """Return photos around a mean per label in 16 dimensions, each its own group."""
    rng = np.random.default_rng(seed)
    means = 3 * np.random.default_rng(99).normal(size=(labels, 16))
    label = np.repeat(np.arange(labels), photos)
    vectors = means[label] + noise * rng.normal(size=(len(label), 16))
    names = np.array([f"fruit {i}" for i in label])
    return LabelledVectors(vectors, names, np.arange(len(label)).astype(str))


def in_groups(photos: LabelledVectors, groups: np.ndarray) -> LabelledVectors:
    return LabelledVectors(photos.vectors, photos.labels, groups)


def test_probabilities_of_new_photos_are_calibrated() -> None:
    model = fit(normal_vectors(60, noise=5), seed=1)
    new = normal_vectors(400, noise=5, seed=1)
    probabilities = model.probabilities(new.vectors)
    correct = model.predict_labels(probabilities) == new.labels
    assert 0.6 < correct.mean() < 0.95  # neither trivial nor impossible
    assert abs(probabilities.max(axis=1).mean() - correct.mean()) < 0.05


def test_fit_is_deterministic() -> None:
    first, second = (fit(normal_vectors(30, noise=4), seed=1) for _ in range(2))
    np.testing.assert_array_equal(first.weights, second.weights)
    assert first.threshold == second.threshold


def test_most_photos_of_unknown_labels_are_answered_with_unknown() -> None:
    photos = normal_vectors(60, noise=1)
    learned = ~np.isin(photos.labels, ["fruit 4", "fruit 5"])
    known, unknown = photos.where(learned), photos.where(~learned)
    model = fit(known, seed=1)
    answers = model.predict_answers(model.probabilities(unknown.vectors))
    assert np.mean(answers == None) > 0.8  # noqa: E711
    answers = model.predict_answers(model.probabilities(known.vectors))
    assert np.mean(answers == None) < 0.1  # noqa: E711


def test_two_labels_are_separated_without_a_threshold() -> None:
    photos = normal_vectors(30, noise=1, labels=2)
    model = fit(photos, seed=1)
    answers = model.predict_answers(model.probabilities(photos.vectors))
    assert (answers == photos.labels).mean() > 0.95
    assert model.threshold == 0


def test_folds_do_not_divide_a_series() -> None:
    photos = normal_vectors(30, noise=1)
    series = np.array([f"series {i // 10}" for i in range(len(photos.labels))])
    folds = series_folds(in_groups(photos, series), seed=1)
    assert len(folds) == 5
    for train, test in folds:
        assert not {*series[train]} & {*series[test]}


def test_folds_divide_series_if_each_label_has_only_one() -> None:
    photos = normal_vectors(30, noise=5)
    one_series = fit(in_groups(photos, photos.labels), seed=1)
    no_series = fit(photos, seed=1)
    np.testing.assert_allclose(one_series.weights, no_series.weights)
    assert 0 < one_series.threshold < 1


def test_label_with_one_series_is_only_in_training_rows() -> None:
    photos = normal_vectors(20, noise=1, labels=3)
    groups = np.where(photos.labels == "fruit 0", "one", photos.groups)
    photos = in_groups(photos, groups)
    tested = np.concatenate([test for _, test in series_folds(photos, seed=1)])
    np.testing.assert_array_equal(
        np.sort(tested), np.flatnonzero(photos.labels != "fruit 0")
    )
    assert np.isfinite(fit(photos, seed=1).weights).all()


def test_folds_without_a_usable_test_row_are_omitted() -> None:
    labels, series = np.array(["a", "b", "a", "b"]), np.array(["1", "2", "1", "3"])
    photos = LabelledVectors(np.eye(4), labels, series)
    for train, test in series_folds(photos, seed=1):
        assert {*labels[test]} <= {*labels[train]} == {"a", "b"}
    assert np.isfinite(fit(photos, seed=1).weights).all()


@pytest.mark.parametrize("groups", [["one"] * 5, list("abcde")])
def test_few_photos_are_fitted_without_cross_validation(groups: list[str]) -> None:
    vectors = np.array([[0.0, 1], [0, 2], [5, 1], [5, 2], [9, 9]])
    labels = np.array(["a", "a", "b", "b", "only one photo"])
    model = fit(LabelledVectors(vectors, labels, np.array(groups)), seed=1)
    assert model.labels == ("a", "b", "only one photo")
    assert [*model.predict_labels(model.probabilities(vectors))] == [*labels]


def test_validation_photos_determine_temperature_and_threshold() -> None:
    photos, others = normal_vectors(60, noise=1), normal_vectors(60, noise=5, seed=1)
    confident = fit(photos, seed=1)
    model = fit(photos, seed=1, validation=others)
    ratios = confident.weights / model.weights
    np.testing.assert_allclose(ratios, ratios[0, 0])
    assert ratios[0, 0] > 1.5
    assert model.threshold == calibrate(confident, others).threshold


def test_validation_photos_are_used_without_cross_validation() -> None:
    photos = normal_vectors(1, noise=1, labels=3)
    model = fit(photos, seed=1, validation=normal_vectors(60, noise=1, labels=3))
    assert model.threshold > 0


@pytest.mark.parametrize(("labels", "folds"), [(2, 0), (3, 3), (6, 5)])
def test_label_folds_test_labels_not_trained_on(labels: int, folds: int) -> None:
    photos = normal_vectors(4, noise=1, labels=labels)
    found = label_folds(photos, seed=1)
    assert len(found) == folds
    for train, test in found:
        assert not {*photos.labels[train]} & {*photos.labels[test]}
        assert len({*photos.labels[train]}) > 1
    tested = [row for _, test in found for row in test]
    assert sorted(tested) == ([*range(4 * labels)] if folds else [])
