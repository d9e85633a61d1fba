from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from factories import by_path, columns_of, frame, key_of, table_of, types_of
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import fit
from fruits_pipeline.parameters import ReduceParameters
from fruits_pipeline.pipelines.reduce.nodes import (
    fit_pca,
    measure_moments,
    project_features,
)
from fruits_pipeline.spark.arrow import measure, moments_in
from fruits_pipeline.spark.frames import from_table, from_tables, write

pytestmark = pytest.mark.usefixtures("spark")

PARAMETERS = ReduceParameters(
    variance=0.9,
    standardise=False,
    max_components=None,
    refit="when needed",
    refit_margin=0.05,
)
FITTING = {"variance": 0.9, "standardise": False, "max_components": None}
Photos = Mapping[str, np.ndarray]
"""Features by name of the photo."""

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
BROKEN: dict[str, Photos] = {"000003": {}}
"""A batch whose photos are all broken, so that none has features."""


def table_of_features(photos: Photos) -> pa.Table:
    rows = [
        {**key_of(f"Test/Kiwi/{name}"), "features": vector.tolist()}
        for name, vector in photos.items()
    ]
    return table_of(rows, schemas.FEATURES)


def features_of(*batches: Photos) -> DataFrame:
    rows = [row for photos in batches for row in table_of_features(photos).to_pylist()]
    return frame(rows, schemas.FEATURES)


def moments_by_batch(batches: Mapping[str, Photos]) -> DataFrame:
    """Return the table `moments`."""
    rows = [
        row | {"batch": name}
        for name, photos in batches.items()
        for measured in measure(iter(table_of_features(photos).to_batches()))
        for row in measured.to_pylist()
    ]
    return frame(rows, schemas.MOMENTS)


def fitted(
    batches: Mapping[str, Photos],
    existing: FittedPca | None = None,
    **parameters: Any,
) -> FittedPca:
    changed = PARAMETERS.model_copy(update=parameters)
    return fit_pca(moments_by_batch(batches), existing, changed)


def stacked(*named: Photos) -> np.ndarray:
    return np.stack([vector for part in named for vector in part.values()])


@pytest.fixture(scope="module")
def existing(spark: object) -> FittedPca:
    return fitted(FIRST)


@pytest.mark.parametrize("kind", ["Spark", "parts"])
def test_a_batch_in_several_tasks_has_one_row_of_moments(kind: str) -> None:
    tables = [*map(table_of_features, FIRST.values())]
    features = features_of(*FIRST.values()).repartition(3)
    if kind == "parts":
        features = from_tables(tables, schemas.FEATURES)
    (batch,) = measure_moments(features).toArrow().to_batches()
    (found,) = moments_in(batch)
    expected = moments_of(stacked(*FIRST.values()))
    assert found.n == 24
    assert np.allclose(found.mean, expected.mean, rtol=1e-12)
    assert np.allclose(found.comoment, expected.comoment, rtol=1e-12)


def test_a_batch_without_features_has_one_row_of_no_photos() -> None:
    features = from_tables([table_of_features({})], schemas.FEATURES)
    assert [row.n for row in measure_moments(features).collect()] == [0]


def test_moments_have_the_columns_of_their_schema() -> None:
    moments = measure_moments(features_of(FIRST["000001"]))
    assert columns_of(moments) == types_of(schemas.MOMENTS)


def test_the_model_is_that_of_all_photos(existing: FittedPca) -> None:
    expected = fit(moments_of(stacked(*FIRST.values())), **FITTING)
    assert existing.model.n == 24
    assert existing.model.components.shape == expected.components.shape
    assert np.allclose(existing.model.components, expected.components, atol=1e-9)
    assert np.allclose(existing.model.spectrum, expected.spectrum)


def test_the_model_names_the_batches_it_was_fitted_to(existing: FittedPca) -> None:
    assert existing.batches == ("000001", "000002")


def test_moments_of_stored_files_give_the_same_model(
    existing: FittedPca, tmp_path: Path
) -> None:
    files = []
    for name, photos in FIRST.items():
        features = from_tables([table_of_features(photos)], schemas.FEATURES)
        moments = measure_moments(features)
        (report,) = write(moments, f"{tmp_path}/batch={name}", schemas.MOMENTS)
        files.append(f"batch={name}/{report['file']}")
    table = from_table(str(tmp_path), files, schemas.MOMENTS)
    found = fit_pca(table, None, PARAMETERS)
    assert found.batches == existing.batches
    assert found.model.digest == existing.model.digest
    assert fit_pca(table, existing, PARAMETERS) is existing


def test_a_batch_of_broken_photos_adds_nothing() -> None:
    photos = {"000001": some("a", 12), "000002": {}}
    found = fitted(photos)
    assert found.model.n == 12
    assert found.batches == ("000001", "000002")


def test_a_model_that_explains_the_new_photos_is_kept(existing: FittedPca) -> None:
    assert fitted(FIRST | ALIKE, existing) is existing


def test_a_model_that_does_not_explain_the_new_photos_is_fitted_anew(
    existing: FittedPca,
) -> None:
    anew = fitted(FIRST | UNLIKE, existing)
    assert anew.batches == ("000001", "000002", "000003")
    assert anew.model.n == 36


def test_a_model_is_asked_about_the_new_photos_alone() -> None:
    many = {"000001": some("a", 600)}
    few = {"000002": some("b", 6, OTHER_AXES)}
    assert fitted(many | few, fitted(many)).model.n == 606


def test_the_margin_says_how_much_less_is_enough(existing: FittedPca) -> None:
    assert fitted(FIRST | UNLIKE, existing, refit_margin=0.9) is existing


def test_a_model_is_never_fitted_anew_if_so_asked(existing: FittedPca) -> None:
    assert fitted(FIRST | UNLIKE, existing, refit="never") is existing


def test_a_model_is_always_fitted_anew_if_so_asked(existing: FittedPca) -> None:
    assert fitted(FIRST | ALIKE, existing, refit="always").model.n == 36


def test_without_new_photos_the_model_is_kept(existing: FittedPca) -> None:
    assert fitted(FIRST, existing) is existing


def test_new_batches_without_photos_are_no_reason_to_fit(existing: FittedPca) -> None:
    assert fitted(FIRST | BROKEN, existing) is existing


@pytest.mark.parametrize("refit", ["when needed", "never"])
def test_another_variance_is_another_model(existing: FittedPca, refit: str) -> None:
    # The file of a model gives none that was fitted with other parameters.
    anew = fitted(FIRST, None, variance=0.5, refit=refit)
    assert len(anew.model.components) < len(existing.model.components)


def test_a_variance_that_cannot_be_reached_is_refused_in_words() -> None:
    words = r"1 components keep .*reduce\.variance = 90\.0%.*reduce\.max_components"
    with pytest.raises(FruitsError, match=words):
        fitted(FIRST, max_components=1)


@pytest.mark.parametrize("photos", [{}, some("a", 1)])
def test_fewer_than_two_photos_are_refused_in_words(photos: Photos) -> None:
    with pytest.raises(FruitsError, match=r"Found features of [01] photo\(s\)"):
        fitted({"000001": photos})


def test_components_are_those_of_the_photo_beside_them(existing: FittedPca) -> None:
    photos = (FIRST | UNLIKE).values()
    rows = by_path(project_features(features_of(*photos), existing))
    assert len(rows) == 36
    for named in photos:
        for name, vector in named.items():
            found = rows[f"Test/Kiwi/{name}"]["components"]
            (expected,) = existing.model.transform(vector[np.newaxis])
            assert np.allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_reduced_has_the_columns_of_its_schema(existing: FittedPca) -> None:
    reduced = project_features(features_of(FIRST["000001"]), existing)
    assert columns_of(reduced) == types_of(schemas.REDUCED)
    row = by_path(reduced)["Test/Kiwi/a0"]
    assert {n: row[n] for n in key_of("Test/Kiwi/a0")} == key_of("Test/Kiwi/a0")


def test_a_batch_of_broken_photos_is_reduced_to_nothing(existing: FittedPca) -> None:
    assert project_features(features_of({}), existing).count() == 0


def test_another_model_gives_components_of_its_own_one_width(
    existing: FittedPca,
) -> None:
    photos = FIRST | UNLIKE
    anew = fitted(photos, existing)
    rows = by_path(project_features(features_of(*photos.values()), anew)).values()
    assert len(rows) == 36
    assert len(anew.model.components) != len(existing.model.components)
    widths = {len(row["components"]) for row in rows}
    assert widths == {len(anew.model.components)}
