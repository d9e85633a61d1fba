from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import batches, by_path, columns_of, key_of, types_of

from fruits_pipeline import schemas
from fruits_pipeline.arrow_steps import vectors
from fruits_pipeline.batches import Batches
from fruits_pipeline.datasets import BatchTable, FittedPca
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.moments import moments_of, unpack
from fruits_pipeline.parameters import ReduceParameters
from fruits_pipeline.pca import fit
from fruits_pipeline.pipelines.reduce.nodes import (
    fit_pca,
    measure_moments,
    project_features,
)

pytestmark = pytest.mark.usefixtures("spark")

RECIPE = {"featurize.fit": "pad"}
PARAMETERS = ReduceParameters(
    variance=0.9,
    standardise=False,
    max_components=None,
    refit="when needed",
    refit_margin=0.05,
)
FITTING = {"variance": 0.9, "standardise": False, "max_components": None}
BROKEN = None
Photos = Mapping[str, Mapping[str, np.ndarray | None]]
"""Features by batch and name of the photo; None for a broken photo."""

RNG = np.random.default_rng(0)
AXES = np.diag([9.0, 6.0, 1.0, 0.3, 0.2, 0.1])
OTHER_AXES = AXES[::-1, ::-1]


def some(prefix: str, count: int, axes: np.ndarray = AXES) -> dict[str, np.ndarray]:
    """Return features of 6 values that vary along some axes."""
    values = (RNG.standard_normal((count, 6)) @ axes + 5).astype(np.float32)
    return {f"{prefix}{i}": vector for i, vector in enumerate(values)}


FIRST = {"000001": some("a", 12), "000002": some("b", 12)}
ALIKE = {"000003": some("c", 12)}
UNLIKE = {"000003": some("d", 12, OTHER_AXES)}


def features_of(photos: Photos) -> Batches:
    rows = {
        batch: [
            {**key_of(f"Test/Kiwi/{name}"), "features": vector.tolist()}
            for name, vector in named.items()
            if vector is not None
        ]
        for batch, named in photos.items()
    }
    return batches(rows, schemas.FEATURES, RECIPE)


def images_of(photos: Photos) -> Batches:
    rows = {
        batch: [
            {**key_of(f"Test/Kiwi/{name}"), "error": "broken" if v is None else None}
            for name, v in named.items()
        ]
        for batch, named in photos.items()
    }
    return batches(rows, schemas.IMAGES, RECIPE)


def fitted(
    photos: Photos, held: FittedPca | None = None, **parameters: Any
) -> FittedPca:
    features = features_of(photos)
    changed = PARAMETERS.model_copy(update=parameters)
    moments = measure_moments(features)
    return fit_pca(moments, features, images_of(photos), held, changed)


def stacked(*named: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.stack([vector for part in named for vector in part.values()])


@pytest.fixture(scope="module")
def held(spark: object) -> FittedPca:
    return fitted(FIRST)


def test_each_batch_has_one_row_of_moments() -> None:
    moments = measure_moments(features_of(FIRST))
    assert moments.names == ("000001", "000002")
    for name, named in FIRST.items():
        (row,) = moments.read([name]).toArrow().to_batches()
        mean, triangle = (vectors(row[c])[0] for c in ("mean", "comoment"))
        found = unpack(row["n"][0].as_py(), mean, triangle)
        expected = moments_of(stacked(named))
        assert found.n == 12
        assert np.allclose(found.mean, expected.mean, rtol=1e-12)
        assert np.allclose(found.comoment, expected.comoment, rtol=1e-12)


def test_moments_have_the_columns_and_the_recipe_of_features() -> None:
    moments = measure_moments(features_of(FIRST))
    assert columns_of(moments.rows()) == types_of(schemas.MOMENTS)
    assert moments.recipe == RECIPE


def test_the_model_is_that_of_all_photos(held: FittedPca) -> None:
    expected = fit(moments_of(stacked(*FIRST.values())), **FITTING)
    assert held.model.n == 24
    assert held.model.components.shape == expected.components.shape
    assert np.allclose(held.model.components, expected.components, atol=1e-9)
    assert np.allclose(held.model.spectrum, expected.spectrum)


def test_the_model_says_how_it_came_to_be(held: FittedPca) -> None:
    assert held.batches == ("000001", "000002")
    assert held.recipe == {
        **RECIPE,
        "reduce.variance": 0.9,
        "reduce.standardise": False,
        "reduce.max_components": None,
    }


def test_of_a_replaced_photo_only_the_newest_version_counts() -> None:
    old = some("a", 12)
    new = {"a0": np.float32([90, 0, 0, 0, 0, 90]), "a7": np.float32([1, 2, 3, 4, 5, 6])}
    kept = {name: vector for name, vector in old.items() if name not in new}
    found = fitted({"000001": old, "000002": new}).model
    expected = fit(moments_of(stacked(kept, new)), **FITTING)
    assert found.n == 12
    assert np.allclose(found.mean, expected.mean)
    assert np.allclose(found.spectrum, expected.spectrum)
    assert np.allclose(found.components, expected.components, atol=1e-9)


def test_a_photo_that_is_broken_now_counts_no_more() -> None:
    old = some("a", 12)
    kept = {name: vector for name, vector in old.items() if name != "a3"}
    found = fitted({"000001": old, "000002": {"a3": BROKEN, **some("b", 2)}}).model
    assert found.n == 13
    alone = fitted({"000001": old, "000002": {"a3": BROKEN}}).model
    assert np.allclose(alone.mean, stacked(kept).mean(axis=0))


def test_a_batch_that_is_wholly_replaced_counts_no_more() -> None:
    new = some("a", 12)
    found = fitted({"000001": some("a", 12), "000002": new}).model
    assert found.n == 12
    assert np.allclose(found.mean, stacked(new).mean(axis=0))


def test_a_stored_batch_that_is_wholly_replaced_counts_no_more(
    tmp_path: Path,
) -> None:
    photos = {"000001": some("a", 3), "000002": some("a", 3)}
    table = BatchTable(filepath=f"{tmp_path}/features")
    table.save(features_of(photos))
    stored = table.load()
    model = fit_pca(
        measure_moments(stored), stored, images_of(photos), None, PARAMETERS
    ).model
    assert np.allclose(model.mean, stacked(photos["000002"]).mean(axis=0))


def test_a_batch_of_broken_photos_adds_nothing() -> None:
    photos = {"000001": some("a", 12), "000002": {"x": BROKEN, "y": BROKEN}}
    assert fitted(photos).model.n == 12


def test_a_model_that_explains_the_new_photos_is_kept(held: FittedPca) -> None:
    assert fitted(FIRST | ALIKE, held) is held


def test_a_model_that_does_not_explain_the_new_photos_is_fitted_anew(
    held: FittedPca,
) -> None:
    anew = fitted(FIRST | UNLIKE, held)
    assert anew.batches == ("000001", "000002", "000003")
    assert anew.model.n == 36


def test_the_margin_says_how_much_less_is_enough(held: FittedPca) -> None:
    assert fitted(FIRST | UNLIKE, held, refit_margin=0.9) is held


def test_a_model_is_never_fitted_anew_if_so_asked(held: FittedPca) -> None:
    assert fitted(FIRST | UNLIKE, held, refit="never") is held


def test_a_model_is_always_fitted_anew_if_so_asked(held: FittedPca) -> None:
    assert fitted(FIRST | ALIKE, held, refit="always").model.n == 36


def test_without_new_photos_the_model_is_kept(held: FittedPca) -> None:
    assert fitted(FIRST, held) is held


def test_new_batches_without_photos_are_no_reason_to_fit(held: FittedPca) -> None:
    assert fitted(FIRST | {"000003": {"x": BROKEN}}, held) is held


@pytest.mark.parametrize("refit", ["when needed", "never"])
def test_another_variance_is_another_model(held: FittedPca, refit: str) -> None:
    anew = fitted(FIRST, held, variance=0.5, refit=refit)
    assert len(anew.model.components) < len(held.model.components)
    assert anew.recipe["reduce.variance"] == 0.5


def test_a_variance_that_cannot_be_reached_is_refused_in_words() -> None:
    words = r"1 components keep .*reduce\.variance = 90\.0%.*reduce\.max_components"
    with pytest.raises(FruitsError, match=words):
        fitted(FIRST, max_components=1)


@pytest.mark.parametrize("photos", [{"a": BROKEN}, some("a", 1)])
def test_fewer_than_two_photos_are_refused_in_words(
    photos: dict[str, np.ndarray | None],
) -> None:
    with pytest.raises(FruitsError, match=r"Found features of [01] photo\(s\)"):
        fitted({"000001": photos})


def test_components_are_those_of_the_photo_beside_them(held: FittedPca) -> None:
    photos = FIRST | UNLIKE
    rows = by_path(project_features(features_of(photos), held).rows())
    assert len(rows) == 36
    for named in photos.values():
        for name, vector in named.items():
            found = rows[f"Test/Kiwi/{name}"]["components"]
            (expected,) = held.model.transform(vector[np.newaxis])
            assert np.allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_reduced_has_the_columns_of_its_schema(held: FittedPca) -> None:
    reduced = project_features(features_of(FIRST), held)
    assert columns_of(reduced.rows()) == types_of(schemas.REDUCED)
    row = by_path(reduced.rows())["Test/Kiwi/a0"]
    assert {n: row[n] for n in key_of("Test/Kiwi/a0")} == key_of("Test/Kiwi/a0")


def test_reduced_is_bound_to_the_model(held: FittedPca) -> None:
    reduced = project_features(features_of(FIRST), held)
    assert (reduced.recipe, reduced.origin) == (
        held.recipe,
        f"None {held.model.digest}",
    )


def test_a_batch_of_broken_photos_is_reduced_to_nothing(held: FittedPca) -> None:
    photos = features_of({"000001": {"x": BROKEN}})
    assert project_features(photos, held).rows().count() == 0


def test_another_model_leaves_components_of_one_width(
    held: FittedPca, tmp_path: Path
) -> None:
    table = BatchTable(filepath=f"{tmp_path}/reduced")
    table.save(project_features(features_of(FIRST), held))
    photos = FIRST | UNLIKE
    anew = fitted(photos, held)
    table.save(project_features(features_of(photos), anew))
    rows = by_path(table.load().rows()).values()
    assert len(rows) == 36
    assert len(anew.model.components) != len(held.model.components)
    widths = {len(row["components"]) for row in rows}
    assert widths == {len(anew.model.components)}
