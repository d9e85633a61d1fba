import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from factories import jpeg, listing, record_batch, run_python, write_files

from fruits_pipeline import schemas
from fruits_pipeline.imaging.canonical import decode
from fruits_pipeline.imaging.quality import measure
from fruits_pipeline.models.moments import moments_of, unpack
from fruits_pipeline.models.pca import Pca, fit
from fruits_pipeline.spark.arrow import (
    compute_moments,
    embed,
    make_canonical,
    make_thumbnails,
    measure_quality,
    project,
    unpack_moments,
)
from fruits_pipeline.spark.fetching import fetch
from fruits_pipeline.spark.vectors import to_matrix

RULES = [re.compile(r"(?P<label>[^/]+)/.+")]
WIDTH = 6
FEATURES = np.random.default_rng(0).normal(size=(9, WIDTH)).astype(np.float32)


def key(path: str) -> dict[str, str]:
    """Return the key columns of a photo, none of them null."""
    values = {"photo_id": f"id of {path}", "label": "Apple", "split": "Test"}
    return {"path": path, "series": "Apple/r", **values}


def photo(path: str, content: bytes) -> dict[str, Any]:
    return key(path) | {"content": content, "size_bytes": len(content)}


def features(first: int, last: int) -> pa.RecordBatch:
    rows = [key(f"{i}.jpg") | {"features": FEATURES[i]} for i in range(first, last)]
    return record_batch(rows, schemas.FEATURES)


def values(batches: Sequence[pa.RecordBatch], column: str) -> list[Any]:
    return [value for batch in batches for value in batch[column].to_pylist()]


@pytest.fixture(scope="module")
def pca() -> Pca:
    return fit(moments_of(FEATURES), 0.9, standardise=False, max_components=None)


Step = tuple[Callable[..., Iterator[pa.RecordBatch]], pa.RecordBatch, pa.Schema]


@pytest.fixture(
    params=["fetch", "make_canonical", "measure_quality", "embed", "project"]
)
def step(request: pytest.FixtureRequest, tmp_path: Path) -> Step:
    """Return a step with one output row per input row, three input rows, and its schema."""
    paths = ["a.jpg", "b.jpg", "c.jpg"]
    if request.param == "fetch":
        write_files(tmp_path, {path: jpeg(1) for path in paths})
        bound = partial(fetch, rules=RULES, requests_in_flight=2)
        size = len(jpeg(1))
        return bound, listing(tmp_path, *paths, size=size), schemas.FETCHED
    if request.param == "make_canonical":
        rows = record_batch([photo(path, jpeg(1)) for path in paths], schemas.PHOTOS)
        bound = partial(make_canonical, short_side=32, max_mib=64, seconds=60)
        return bound, rows, schemas.IMAGES
    if request.param == "measure_quality":
        rows = record_batch(
            [key(path) | {"image": jpeg(1)} for path in paths], schemas.IMAGES
        )
        return measure_quality, rows, schemas.QUALITY
    if request.param == "embed":
        rows = record_batch(
            [key(path) | {"image": jpeg(1)} for path in paths], schemas.IMAGES
        )
        variable = SimpleNamespace(value=request.getfixturevalue("backbone"))
        bound = partial(embed, backbone=variable, fit_mode="pad", seconds=60)
        return bound, rows, schemas.FEATURES
    variable = SimpleNamespace(value=request.getfixturevalue("pca"))
    return partial(project, pca=variable), features(0, 3), schemas.REDUCED


@pytest.mark.parametrize(
    "slices",
    [[], [(0, 0)], [(0, 1)], [(0, 3)], [(0, 2), (0, 0), (2, 1)], [(1, 2)]],
    ids=["no batch", "empty batch", "one row", "three rows", "batches", "a slice"],
)
def test_step_keeps_rows_and_keys_and_yields_its_schema(
    step: Step, slices: list[tuple[int, int]]
) -> None:
    run, rows, schema = step
    inputs = [rows.slice(offset, length) for offset, length in slices]
    outputs = [*run(iter(inputs))]
    for output in outputs:
        assert output.schema == schema
        output.validate(full=True)
    for field in schemas.KEY:
        if field.name in rows.schema.names:
            assert values(outputs, field.name) == values(inputs, field.name)


@pytest.mark.parametrize("lengths", [[9], [1, 8], [4, 0, 5], [1] * 9])
def test_moments_of_all_batches_are_one_row(lengths: list[int]) -> None:
    ends = np.cumsum([0, *lengths])
    parts = [features(a, b) for a, b in zip(ends, ends[1:], strict=False)]
    (result,) = compute_moments(iter(parts))
    assert (result.schema, len(result)) == (schemas.MOMENTS, 1)
    mean, comoment = to_matrix(result["mean"])[0], to_matrix(result["comoment"])[0]
    found = unpack(result["n"][0].as_py(), mean, comoment)
    expected = moments_of(FEATURES)
    assert found.n == 9
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12)
    np.testing.assert_allclose(found.comoment, expected.comoment, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("parts", [[], [features(0, 0)]], ids=["no batch", "empty"])
def test_moments_of_no_features_are_one_row(parts: list[pa.RecordBatch]) -> None:
    (result,) = compute_moments(iter(parts))
    assert result.schema == schemas.MOMENTS
    assert result.to_pylist() == [
        {"n": 0, "mean": [], "comoment": [], "keys": "0" * 16}
    ]


def test_moments_are_unpacked_from_every_row() -> None:
    parts = [features(0, 4), features(0, 0), features(4, 9)]
    rows = pa.concat_batches(
        [row for part in parts for row in compute_moments(iter([part]))]
    )
    found = [*unpack_moments(rows)]
    assert [moments.n for moments in found] == [4, 0, 5]
    assert found[1].width == 0
    for moments, part in ((found[0], FEATURES[:4]), (found[2], FEATURES[4:])):
        expected = moments_of(part)
        np.testing.assert_array_equal(moments.mean, expected.mean)
        np.testing.assert_allclose(moments.comoment, expected.comoment, rtol=1e-12)
        np.testing.assert_array_equal(moments.comoment, moments.comoment.T)


def test_no_moments_are_unpacked_from_no_rows() -> None:
    assert [*unpack_moments(record_batch([], schemas.MOMENTS))] == []


def test_components_are_computed_by_the_pca(pca: Pca) -> None:
    (result,) = project(iter([features(2, 7)]), SimpleNamespace(value=pca))
    found = to_matrix(result["components"])
    np.testing.assert_array_equal(found, pca.transform(FEATURES[2:7]))
    assert found.shape[1] == len(pca.components) < WIDTH


def test_features_of_another_width_are_an_error(pca: Pca) -> None:
    rows = [key("x") | {"features": [1.0] * (WIDTH + 1)}]
    with pytest.raises(ValueError, match="cannot reshape"):
        next(
            project(
                iter([record_batch(rows, schemas.FEATURES)]), SimpleNamespace(value=pca)
            )
        )


def test_quality_of_rejected_photos_is_not_measured() -> None:
    good = key("a.jpg") | {"image": jpeg(1), "width": 48, "height": 40}
    rows = record_batch([good, key("b.jpg") | {"error": "no photo"}], schemas.IMAGES)
    (result,) = measure_quality(iter([rows]))
    (row,) = result.to_pylist()
    assert (row["path"], row["width"], row["height"]) == ("a.jpg", 48, 40)
    assert row["brightness"] == pytest.approx(measure(jpeg(1)).brightness)
    assert row["saturation"] == pytest.approx(measure(jpeg(1)).saturation)


def test_thumbnails_are_made_of_the_given_paths_only() -> None:
    good = [key(f"{i}.jpg") | {"image": jpeg(i)} for i in range(3)]
    rows = record_batch([*good, key("b.jpg") | {"error": "no photo"}], schemas.IMAGES)
    (result,) = make_thumbnails(iter([rows]), ["2.jpg", "other.jpg"], 24)
    assert result.schema == schemas.THUMBNAILS
    assert result["path"].to_pylist() == ["2.jpg"]
    assert decode(result["thumbnail"][0].as_py()).shape == (20, 24, 3)
    (empty,) = make_thumbnails(iter([rows]), [], 24)
    assert not len(empty)


IMPORT_ARROW = """
import sys
from fruits_pipeline.spark import arrow
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"pyspark", "kedro", "kedro_datasets", "pandas", "tensorflow"}))
"""


def test_steps_import_neither_spark_nor_kedro() -> None:
    assert run_python("-c", IMPORT_ARROW) == "[]\n"
