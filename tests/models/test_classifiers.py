import numpy as np
import pytest

from fruits_pipeline.models.classifiers import (
    UNKNOWN,
    Classifier,
    LabelledVectors,
    distinct_text,
    fit_logistic_regression,
    sample_rows,
)


def separate_vectors(labels: int, photos: int = 30, seed: int = 0) -> LabelledVectors:
    """Return photos around distant means, one per label, in series of ten."""
    rng = np.random.default_rng(seed)
    means = 6 * np.eye(labels, labels + 2)
    vectors = np.repeat(means, photos, axis=0) + rng.normal(size=(labels * photos, 1))
    vectors += 0.5 * rng.normal(size=vectors.shape)
    names = np.repeat([f"fruit {i}" for i in range(labels)], photos)
    series = np.array([f"{name}/{i // 10}" for i, name in enumerate(names)])
    return LabelledVectors(vectors.astype(np.float32), names, series)


def identity(labels: int) -> Classifier:
    """Return a classifier whose logits are its inputs."""
    names = tuple(f"fruit {i}" for i in range(labels))
    return Classifier(names, np.eye(labels), np.zeros(labels))


def test_probabilities_are_the_softmax_of_the_logits() -> None:
    found = identity(2).probabilities(np.log([[1.0, 3.0], [5.0, 5.0]]))
    np.testing.assert_allclose(found, [[0.25, 0.75], [0.5, 0.5]])


def test_large_logits_do_not_overflow() -> None:
    found = identity(3).probabilities(np.array([[1e4, 0.0, -1e4]]))
    np.testing.assert_allclose(found, [[1, 0, 0]])


@pytest.mark.parametrize("labels", [2, 3, 5])
def test_probabilities_are_those_of_scikit_learn(labels: int) -> None:
    from sklearn.linear_model import LogisticRegression

    photos = separate_vectors(labels)
    variance = photos.vectors.var(axis=0).sum()
    reference = LogisticRegression(C=2 / variance, max_iter=500)
    reference.fit(photos.vectors, photos.labels)
    model = fit_logistic_regression(photos, 2.0)
    assert model.labels == tuple(reference.classes_)
    found = model.probabilities(photos.vectors)
    expected = reference.predict_proba(photos.vectors)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_regularisation_does_not_depend_on_the_unit_of_the_vectors() -> None:
    photos = separate_vectors(3)
    large = LabelledVectors(photos.vectors * 1000, photos.labels, photos.groups)
    found = fit_logistic_regression(large, 1.0).probabilities(large.vectors)
    expected = fit_logistic_regression(photos, 1.0).probabilities(photos.vectors)
    np.testing.assert_allclose(found, expected, atol=1e-2)


def test_probabilities_of_identical_vectors_are_label_frequencies() -> None:
    labels = np.array(["a", "a", "a", "b"])
    photos = LabelledVectors(np.ones((4, 2)), labels, np.arange(4))
    found = fit_logistic_regression(photos, 1.0).probabilities(np.ones((1, 2)))
    np.testing.assert_allclose(found, [[0.75, 0.25]], atol=1e-2)


def test_answer_is_unknown_below_the_threshold() -> None:
    model = Classifier(("a", "b"), np.zeros((1, 2)), np.zeros(2), threshold=0.6)
    probabilities = np.array([[0.6, 0.4], [0.41, 0.59], [0.1, 0.9]])
    assert [*model.predict_answers(probabilities)] == ["a", None, "b"]
    assert [*model.predict_labels(probabilities)] == ["a", "b", "b"]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["a"], "unknown"),
        (["unknown"], "(unknown)"),
        (["Unknown "], "(unknown)"),
        (["unknown", "(unknown)"], "((unknown))"),
    ],
)
def test_text_for_no_answer_differs_from_all_labels(
    labels: list[str], expected: str
) -> None:
    assert distinct_text(UNKNOWN, labels) == expected


def test_odd_labels_keep_their_column() -> None:
    labels = [
        "nan",
        "None",
        "1",
        "01",
        "1e3",
        " a",
        "a ",
        "a\nb",
        "\x85",
        "🍎",
        "unknown",
    ]
    vectors = np.eye(len(labels)).repeat(4, axis=0)
    rows = np.repeat(labels, 4)
    model = fit_logistic_regression(LabelledVectors(vectors, rows, rows), 100.0)
    assert {*model.labels} == {*labels}
    assert [*model.predict_labels(model.probabilities(vectors))] == [*rows]


def test_sample_contains_all_rows_of_rare_labels() -> None:
    labels = np.repeat(["fruit 0", "fruit 1"], [30, 3])
    rows = sample_rows(labels, 5, seed=1)
    names, counts = np.unique(labels[rows], return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {"fruit 0": 5, "fruit 1": 3}
    np.testing.assert_array_equal(rows, sample_rows(labels, 5, seed=1))
    assert (np.diff(rows) > 0).all()
