import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models.moments import EMPTY, Moments, merge_all, moments_of
from fruits_pipeline.models.pca import Pca, choose_components, fit, fix_signs

N, WIDTH = 300, 20
ANGLE = 1e-3
RATIO = 1e-6

rng = np.random.default_rng(360)
FEATURES = (
    rng.normal(size=(N, WIDTH))
    * np.geomspace(10, 0.1, WIDTH)
    @ rng.normal(size=(WIDTH,) * 2)
    + rng.normal(50, 20, WIDTH)
).astype(np.float32)
"""Mean far from zero; variances of the principal axes differ by orders of magnitude."""


def merged_moments(features: np.ndarray, batches: int = 1) -> Moments:
    return merge_all(moments_of(part) for part in np.array_split(features, batches))


def fitted(
    features: np.ndarray = FEATURES,
    variance: float = 0.95,
    standardise: bool = False,
    max_components: int | None = None,
    batches: int = 1,
) -> Pca:
    return fit(merged_moments(features, batches), variance, standardise, max_components)


@pytest.mark.parametrize("standardise", [False, True])
@pytest.mark.parametrize("variance", [0.5, 0.8, 0.95, 0.999])
@pytest.mark.parametrize("batches", [1, 7])
def test_fit_equals_scikit_learn(
    batches: int, variance: float, standardise: bool
) -> None:
    inputs = FEATURES.astype(np.float64)
    if standardise:
        inputs = StandardScaler().fit_transform(inputs)
    reference = PCA(variance, svd_solver="full").fit(inputs)
    model = fitted(FEATURES, variance, standardise, batches=batches)
    assert len(model.components) == reference.n_components_
    kept = len(model.components)
    np.testing.assert_allclose(
        model.ratios[:kept], reference.explained_variance_ratio_, atol=RATIO
    )
    assert subspace_angles(model.components.T, reference.components_.T).max() < ANGLE
    assert model.explained == pytest.approx(reference.explained_variance_ratio_.sum())
    by_n = np.sqrt((N - 1) / N) if standardise else 1  # StandardScaler divides by n
    np.testing.assert_allclose(
        np.abs(model.transform(FEATURES)),
        np.abs(reference.transform(inputs)) * by_n,
        rtol=1e-4,
        atol=1e-4,
    )


def test_standardised_fit_does_not_depend_on_units() -> None:
    scaled = FEATURES * np.geomspace(1, 1000, WIDTH).astype(np.float32)
    plain, standard = fitted(scaled), fitted(scaled, standardise=True)
    assert len(plain.components) < len(standard.components)
    np.testing.assert_allclose(
        standard.ratios, fitted(FEATURES, standardise=True).ratios, atol=RATIO
    )


def test_transform_centres_on_the_fitted_photos() -> None:
    model = fitted()
    np.testing.assert_allclose(model.transform(FEATURES).mean(axis=0), 0, atol=1e-3)
    assert not model.transform(FEATURES.mean(axis=0, keepdims=True)).round(2).any()


def test_transform_retains_the_stated_variance() -> None:
    model = fitted(variance=0.9)
    reduced = model.transform(FEATURES)
    assert reduced.dtype == np.float32
    kept = reduced.var(axis=0, ddof=1).sum() / FEATURES.var(axis=0, ddof=1).sum()
    assert kept == pytest.approx(model.explained, abs=1e-4)
    assert kept >= 0.9


def test_components_are_orthonormal_and_spectrum_descends() -> None:
    model = fitted(variance=1.0)
    gram = model.components @ model.components.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-12)
    assert (np.diff(model.spectrum) <= 0).all()
    assert model.ratios.sum() == pytest.approx(1)


def test_order_of_photos_and_batches_does_not_flip_components() -> None:
    shuffled = np.random.default_rng(1).permutation(FEATURES)
    one, other = fitted(), fitted(shuffled, batches=5)
    np.testing.assert_allclose(one.components, other.components, atol=1e-6)


def test_signs_of_components_are_fixed() -> None:
    components = np.array([[0.6, -0.8], [-0.8, -0.6]])
    expected = [[-0.6, 0.8], [0.8, 0.6]]
    assert fix_signs(components).tolist() == expected
    assert fix_signs(-components).tolist() == expected
    of_fit = fitted().components
    assert (of_fit.max(axis=1) == np.abs(of_fit).max(axis=1)).all()


@pytest.mark.parametrize(
    ("ratios", "variance", "expected"),
    [
        ([0.5, 0.3, 0.2], 0.5, 1),
        ([0.5, 0.3, 0.2], 0.51, 2),
        ([0.5, 0.3, 0.2], 0.8, 2),
        ([0.5, 0.3, 0.2], 1.0, 3),
        ([0.1] * 10, 0.3, 3),
        ([0.1] * 10, 1.0, 10),
        ([1.0, 0.0], 1.0, 1),
    ],
)
def test_smallest_sufficient_number_of_components_is_chosen(
    ratios: list[float], variance: float, expected: int
) -> None:
    assert choose_components(np.array(ratios), variance) == expected


def test_unreachable_variance_is_rejected() -> None:
    ratios = np.array([0.3, 0.2, 0.1])
    with pytest.raises(FruitsError, match=r"3 components keep 60.0% .* = 99.0%"):
        choose_components(ratios, 0.99)


def test_max_components_too_low_for_the_variance_is_rejected() -> None:
    needed = len(fitted(variance=0.95).components)
    assert len(fitted(max_components=needed).components) == needed
    assert len(fitted(max_components=WIDTH + 5).components) == needed
    with pytest.raises(FruitsError, match=r"reduce\.max_components") as caught:
        fitted(max_components=needed - 1)
    assert f"{needed - 1} components keep" in str(caught.value)


def test_fewer_photos_than_features_have_fewer_components() -> None:
    few = FEATURES[:5]
    model = fitted(few, variance=1.0)
    reference = PCA(4).fit(few.astype(np.float64))
    assert len(model.components) == 4
    assert not model.spectrum[4:].any()
    np.testing.assert_allclose(
        model.ratios[:4], reference.explained_variance_ratio_, atol=RATIO
    )
    assert subspace_angles(model.components.T, reference.components_.T).max() < ANGLE


def test_two_photos_have_one_component() -> None:
    model = fitted(FEATURES[:2], variance=1.0)
    assert model.components.shape == (1, WIDTH)
    one, other = model.transform(FEATURES[:2])[:, 0]
    distance = np.linalg.norm(FEATURES[0] - FEATURES[1])
    assert one == pytest.approx(-other, rel=1e-4)
    assert abs(one - other) == pytest.approx(distance, rel=1e-5)


@pytest.mark.parametrize("moments", [EMPTY, moments_of(FEATURES[:1])])
def test_fewer_than_two_photos_are_rejected(moments: Moments) -> None:
    with pytest.raises(
        FruitsError, match=rf"{moments.n} photo\(s\); expected at least 2"
    ):
        fit(moments, 0.95, standardise=False, max_components=None)


@pytest.mark.parametrize("standardise", [False, True])
@pytest.mark.parametrize("batches", [1, 3])
def test_identical_photos_are_rejected(batches: int, standardise: bool) -> None:
    same = np.repeat(FEATURES[:1], 7, axis=0)
    with pytest.raises(FruitsError, match="7 photos with the same features"):
        fitted(same, standardise=standardise, batches=batches)


def test_duplicate_photos_count_twice() -> None:
    twice = np.concatenate([FEATURES, FEATURES[:50]])
    reference = PCA(WIDTH).fit(twice.astype(np.float64))
    np.testing.assert_allclose(
        fitted(twice).ratios, reference.explained_variance_ratio_, atol=RATIO
    )


def test_constant_feature_is_not_divided_by_zero() -> None:
    features = FEATURES.copy()
    features[:, 3] = 7
    model = fitted(features, standardise=True, variance=1.0)
    assert model.scale[3] == 1
    np.testing.assert_allclose(model.components[:, 3], 0, atol=1e-9)
    assert np.isfinite(model.transform(features)).all()
    assert len(model.components) == WIDTH - 1


def test_explained_variance_of_the_fitted_photos_is_that_of_the_pca() -> None:
    for standardise in (False, True):
        model = fitted(variance=0.8, standardise=standardise)
        share = model.explained_variance_of(merged_moments(FEATURES, 3))
        assert share == pytest.approx(model.explained, abs=1e-9)


def test_explained_variance_of_other_photos_is_what_transform_retains() -> None:
    model = fitted(FEATURES[:100], variance=0.8, standardise=True)
    others = FEATURES[100:] + np.float32(3)
    centred = (others - model.mean) / model.scale
    kept = np.square(centred @ model.components.T).sum() / np.square(centred).sum()
    assert model.explained_variance_of(moments_of(others)) == pytest.approx(kept)
    assert model.explained_variance_of(moments_of(others[:1])) < 1


def test_variance_along_an_orthogonal_axis_is_not_explained() -> None:
    flat = np.zeros((50, 4), np.float32)
    flat[:, 0] = np.arange(50)
    model = fitted(flat)
    tilted = np.roll(flat, 1, axis=1) + model.mean.astype(np.float32)
    assert model.explained_variance_of(moments_of(flat)) == pytest.approx(1)
    assert model.explained_variance_of(moments_of(tilted)) == pytest.approx(0)


def test_common_shift_counts_as_variance() -> None:
    flat = np.zeros((50, 4), np.float32)
    flat[:, 0] = np.arange(50)
    shifted = flat + np.array([0, 100, 0, 0], np.float32)
    assert fitted(flat).explained_variance_of(moments_of(shifted)) < 0.05


def test_photo_at_the_mean_is_explained() -> None:
    flat = np.array([[0, 0], [2, 0]], np.float32)
    middle = np.array([[1, 0]], np.float32)
    assert fitted(flat).explained_variance_of(moments_of(middle)) == 1


def test_digest_changes_with_the_transform() -> None:
    model = fitted()
    assert model.digest == fitted().digest
    assert model.digest != fitted(FEATURES[:-1]).digest
    assert model.digest != fitted(standardise=True).digest
    assert model.digest != fitted(variance=0.5).digest
