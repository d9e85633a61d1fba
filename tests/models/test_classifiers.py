import numpy as np
import pytest

from fruits_pipeline.models.classifiers import (
    UNKNOWN,
    Classifier,
    Labelled,
    regress,
    softmax,
)


def clouds(labels: int, photos: int = 30, seed: int = 0) -> Labelled:
    """Return photos of labels that lie apart, in films of ten."""
    rng = np.random.default_rng(seed)
    middles = 6 * np.eye(labels, labels + 2)
    vectors = np.repeat(middles, photos, axis=0) + rng.normal(size=(labels * photos, 1))
    vectors += 0.5 * rng.normal(size=vectors.shape)
    names = np.repeat([f"fruit {i}" for i in range(labels)], photos)
    films = np.array([f"{name}/{i // 10}" for i, name in enumerate(names)])
    return Labelled(vectors.astype(np.float32), names, films)


def test_probabilities_are_the_share_of_powers() -> None:
    found = softmax(np.log([[1.0, 3.0], [5.0, 5.0]]))
    np.testing.assert_allclose(found, [[0.25, 0.75], [0.5, 0.5]])


def test_probabilities_of_huge_scores_are_no_overflow() -> None:
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0, -np.inf]])), [[1, 0, 0]])


@pytest.mark.parametrize("labels", [2, 3, 5])
def test_a_regression_is_scikit_learns_own(labels: int) -> None:
    from sklearn.linear_model import LogisticRegression

    known = clouds(labels)
    spread = known.vectors.var(axis=0).sum()
    theirs = LogisticRegression(C=2 / spread, max_iter=500)
    theirs.fit(known.vectors, known.labels)
    model = regress(known, 2.0)
    assert model.labels == tuple(theirs.classes_)
    found = model.probabilities(known.vectors)
    expected = theirs.predict_proba(known.vectors)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_strength_means_the_same_whatever_the_unit_of_vectors() -> None:
    known = clouds(3)
    large = Labelled(known.vectors * 1000, known.labels, known.groups)
    found = regress(large, 1.0).probabilities(large.vectors)
    expected = regress(known, 1.0).probabilities(known.vectors)
    np.testing.assert_allclose(found, expected, atol=1e-2)


def test_vectors_that_do_not_differ_give_the_share_of_each_label() -> None:
    same = Labelled(np.ones((4, 2)), np.array(["a", "a", "a", "b"]), np.arange(4))
    found = regress(same, 1.0).probabilities(np.ones((1, 2)))
    np.testing.assert_allclose(found, [[0.75, 0.25]], atol=1e-2)


def test_an_answer_is_unknown_below_the_threshold_alone() -> None:
    model = Classifier(("a", "b"), np.zeros((1, 2)), np.zeros(2), threshold=0.6)
    found = model.answers(np.array([[0.6, 0.4], [0.41, 0.59], [0.1, 0.9]]))
    assert [*found] == ["a", UNKNOWN, "b"]


def test_a_sample_keeps_all_photos_of_rare_labels() -> None:
    known = clouds(2, photos=30)
    rare = known.where(np.r_[0:30, 30:33])
    sample = rare.sample(5, seed=1)
    names, counts = np.unique(sample.labels, return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {"fruit 0": 5, "fruit 1": 3}
    np.testing.assert_array_equal(sample.vectors, rare.sample(5, seed=1).vectors)
