from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from factories import arrow_table, by_path, column_types, frame, key_of, spark_types
from moment_trees import moment_tree
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import FittedPca
from fruits_pipeline.models.moment_tree import MomentTree
from fruits_pipeline.models.moments import EMPTY, moments_of
from fruits_pipeline.models.pca import fit
from fruits_pipeline.parameters import ReduceParameters
from fruits_pipeline.pipelines.reduce.nodes import (
    fit_pca,
    measure_moments,
    project_features,
)
from fruits_pipeline.spark.arrow import unpack_moments
from fruits_pipeline.spark.frames import from_tables

pytestmark = pytest.mark.usefixtures("spark")

PARAMETERS = ReduceParameters(
    variance=0.9,
    standardise=False,
    max_components=None,
    refit="when needed",
    refit_margin=0.05,
)
FIT_ARGUMENTS = {"variance": 0.9, "standardise": False, "max_components": None}
Photos = Mapping[str, np.ndarray]
"""Features of a batch, by name of the photo."""

RNG = np.random.default_rng(0)
AXES = np.diag([9.0, 6.0, 1.0, 0.3, 0.2, 0.1])
OTHER_AXES = AXES[::-1, ::-1]


def random_features(prefix: str, count: int, axes: np.ndarray = AXES) -> Photos:
    """Return random features with 6 values, which vary along the axes."""
    values = (RNG.standard_normal((count, 6)) @ axes + 5).astype(np.float32)
    return {f"{prefix}{i}": vector for i, vector in enumerate(values)}


FIRST = {"000001": random_features("a", 12), "000002": random_features("b", 12)}
SIMILAR = {"000003": random_features("c", 12)}
DIFFERENT = {"000003": random_features("d", 12, OTHER_AXES)}
REJECTED: dict[str, Photos] = {"000003": {}}
"""A batch whose photos were all rejected, so that it has no features."""


def features_table(photos: Photos) -> pa.Table:
    rows = [
        {**key_of(f"Test/Kiwi/{name}"), "features": vector.tolist()}
        for name, vector in photos.items()
    ]
    return arrow_table(rows, schemas.FEATURES)


def features_frame(*batches: Photos) -> DataFrame:
    rows = [row for photos in batches for row in features_table(photos).to_pylist()]
    return frame(rows, schemas.FEATURES)


def moments_by_batch(batches: Mapping[str, Photos]) -> MomentTree:
    """Return the moments of batches."""
    values = {
        name: moments_of(stack(photos)) if photos else EMPTY
        for name, photos in batches.items()
    }
    return moment_tree(values)


def fit_batches(
    batches: Mapping[str, Photos], existing: FittedPca | None = None, **parameters: Any
) -> FittedPca:
    changed = PARAMETERS.model_copy(update=parameters)
    return fit_pca(moments_by_batch(batches), existing, changed)


def stack(*batches: Photos) -> np.ndarray:
    return np.stack([v for photos in batches for v in photos.values()])


@pytest.fixture(scope="module")
def existing(spark: object) -> FittedPca:
    return fit_batches(FIRST)


@pytest.mark.parametrize("kind", ["Spark", "parts"])
def test_batch_of_several_tasks_has_one_row_of_moments(kind: str) -> None:
    tables = [*map(features_table, FIRST.values())]
    features = features_frame(*FIRST.values()).repartition(3)
    if kind == "parts":
        features = from_tables(tables, schemas.FEATURES)
    (batch,) = measure_moments(features).toArrow().to_batches()
    (found,) = unpack_moments(batch)
    expected = moments_of(stack(*FIRST.values()))
    assert found.n == 24
    assert np.allclose(found.mean, expected.mean, rtol=1e-12)
    assert np.allclose(found.comoment, expected.comoment, rtol=1e-12)


def test_batch_without_features_has_moments_of_zero_photos() -> None:
    features = from_tables([features_table({})], schemas.FEATURES)
    assert [row.n for row in measure_moments(features).collect()] == [0]


def test_moments_have_the_columns_of_their_schema() -> None:
    moments = measure_moments(features_frame(FIRST["000001"]))
    assert column_types(moments) == spark_types(schemas.MOMENTS)


def test_pca_is_fitted_to_all_photos(existing: FittedPca) -> None:
    expected = fit(moments_of(stack(*FIRST.values())), **FIT_ARGUMENTS)
    assert existing.model.n == 24
    assert existing.model.components.shape == expected.components.shape
    assert np.allclose(existing.model.components, expected.components, atol=1e-9)
    assert np.allclose(existing.model.spectrum, expected.spectrum)


def test_pca_contains_the_names_of_its_batches(existing: FittedPca) -> None:
    assert existing.batches == ("000001", "000002")


def test_batch_of_rejected_photos_is_ignored() -> None:
    photos = {"000001": random_features("a", 12), "000002": {}}
    found = fit_batches(photos)
    assert found.model.n == 12
    assert found.batches == ("000001", "000002")


@pytest.mark.parametrize(
    ("new", "parameters"),
    [
        (SIMILAR, {}),
        (DIFFERENT, {"refit_margin": 0.9}),
        (DIFFERENT, {"refit": "never"}),
        (REJECTED, {}),
        ({}, {}),
    ],
    ids=["explained", "within the margin", "never", "only rejected photos", "nothing"],
)
def test_existing_pca_is_kept(
    existing: FittedPca, new: dict[str, Photos], parameters: dict[str, Any]
) -> None:
    assert fit_batches(FIRST | new, existing, **parameters) is existing


def test_pca_that_explains_too_little_is_replaced(existing: FittedPca) -> None:
    new_pca = fit_batches(FIRST | DIFFERENT, existing)
    assert new_pca.batches == ("000001", "000002", "000003")
    assert new_pca.model.n == 36


def test_refit_depends_only_on_the_new_photos() -> None:
    many = {"000001": random_features("a", 600)}
    few = {"000002": random_features("b", 6, OTHER_AXES)}
    assert fit_batches(many | few, fit_batches(many)).model.n == 606


def test_refit_always_replaces_the_pca(existing: FittedPca) -> None:
    assert fit_batches(FIRST | SIMILAR, existing, refit="always").model.n == 36


@pytest.mark.parametrize("refit", ["when needed", "never"])
def test_less_variance_needs_fewer_components(existing: FittedPca, refit: str) -> None:
    # PcaFile returns no existing PCA after a change of parameters.
    new_pca = fit_batches(FIRST, None, variance=0.5, refit=refit)
    assert len(new_pca.model.components) < len(existing.model.components)


def test_components_belong_to_the_photo_of_their_row(existing: FittedPca) -> None:
    batches = (FIRST | DIFFERENT).values()
    rows = by_path(project_features(features_frame(*batches), existing))
    assert len(rows) == 36
    for photos in batches:
        for name, vector in photos.items():
            found = rows[f"Test/Kiwi/{name}"]["components"]
            (expected,) = existing.model.transform(vector[np.newaxis])
            assert np.allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_reduced_has_the_columns_of_its_schema(existing: FittedPca) -> None:
    reduced = project_features(features_frame(FIRST["000001"]), existing)
    assert column_types(reduced) == spark_types(schemas.REDUCED)
    row = by_path(reduced)["Test/Kiwi/a0"]
    assert {n: row[n] for n in key_of("Test/Kiwi/a0")} == key_of("Test/Kiwi/a0")


def test_batch_without_features_has_no_components(existing: FittedPca) -> None:
    assert project_features(features_frame({}), existing).count() == 0


def test_all_rows_have_the_number_of_components_of_the_pca(existing: FittedPca) -> None:
    photos = FIRST | DIFFERENT
    new_pca = fit_batches(photos, existing)
    rows = by_path(project_features(features_frame(*photos.values()), new_pca)).values()
    assert len(rows) == 36
    assert len(new_pca.model.components) != len(existing.model.components)
    widths = {len(row["components"]) for row in rows}
    assert widths == {len(new_pca.model.components)}
