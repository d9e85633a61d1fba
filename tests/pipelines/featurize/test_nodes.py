from typing import Any

import numpy as np
import pandas as pd
import pytest
from factories import BACKBONE, by_path, columns_of, frame, jpeg, key_of, types_of
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.photos import Fit, fit
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.parameters import FeaturizeParameters
from fruits_pipeline.pipelines.featurize.nodes import check_error_rate, embed_images
from fruits_pipeline.spark.frames import map_arrow
from fruits_pipeline.spark.parts import Rows

pytestmark = pytest.mark.usefixtures("spark")


def good(name: str, seed: int = 0) -> dict[str, Any]:
    return {**key_of(f"Test/Kiwi/{name}"), "image": jpeg(seed)}


def broken(name: str) -> dict[str, Any]:
    return {**key_of(f"Test/Kiwi/{name}"), "error": f"cannot be decoded: {name}"}


def images(*rows: dict[str, Any]) -> DataFrame:
    return frame(rows, schemas.IMAGES)


def table(*batches: list[dict[str, Any]]) -> tuple[DataFrame, pd.DataFrame]:
    """Return the table `images`, and its counts by batch."""
    named = {f"{number:06d}": rows for number, rows in enumerate(batches, start=1)}
    rows = [row | {"batch": name} for name in named for row in named[name]]
    counts = [
        {
            "batch": name,
            "photos": len(rows),
            "rejected": sum("error" in r for r in rows),
        }
        for name, rows in named.items()
    ]
    return frame(rows, schemas.IMAGES), pd.DataFrame(counts)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return BackboneFolder(filepath=str(BACKBONE)).load()


@pytest.mark.parametrize("max_error_rate", [0.25, 1.0])
def test_as_many_broken_photos_as_allowed_pass(max_error_rate: float) -> None:
    check_error_rate(
        *table([good("1"), good("2"), good("3"), broken("4")]), max_error_rate
    )


def test_too_many_broken_photos_stop_the_run_in_words() -> None:
    both = table([good("1"), broken("2")], [broken("3"), good("4")])
    with pytest.raises(FruitsError) as stopped:
        check_error_rate(*both, 0.4)
    words = str(stopped.value)
    assert "Found 2 of 4 photos that cannot be decoded (50.0%)" in words
    assert "Test/Kiwi/2: cannot be decoded: 2; Test/Kiwi/3" in words
    assert "preprocess.max_error_rate = 40.0%" in words


def test_three_broken_photos_are_named_at_most() -> None:
    with pytest.raises(FruitsError) as stopped:
        check_error_rate(*table([broken(name) for name in "52341"]), 0.0)
    named = [name for name in "12345" if f"Test/Kiwi/{name}:" in str(stopped.value)]
    assert named == ["1", "2", "3"]


def test_batches_are_counted_together() -> None:
    check_error_rate(*table([broken("1")], [good("2"), good("3"), good("4")]), 0.25)


def test_of_an_accepted_table_no_row_is_read() -> None:
    def unread(rows: Rows) -> Rows:
        raise AssertionError("images were read")
        yield from rows

    rows, counts = table([good("1"), broken("2")])
    check_error_rate(map_arrow(rows, unread, schemas.IMAGES), counts, 0.5)


def test_broken_photos_are_left_out(backbone: Backbone) -> None:
    rows = images(good("1"), broken("2"), good("3"))
    features = embed_images(rows, backbone, FeaturizeParameters(fit="pad"))
    assert by_path(features).keys() == {"Test/Kiwi/1", "Test/Kiwi/3"}


@pytest.mark.parametrize("how", ["pad", "stretch"])
def test_features_are_those_of_the_photo_beside_them(
    backbone: Backbone, how: Fit
) -> None:
    photos = images(*(good(str(seed), seed) for seed in range(7)))
    rows = by_path(embed_images(photos, backbone, FeaturizeParameters(fit=how)))
    assert len(rows) == 7
    for seed in range(7):
        photo = fit(jpeg(seed), backbone.card.input_size, how)
        (expected,) = backbone.embed([photo])
        found = np.float32(rows[f"Test/Kiwi/{seed}"]["features"])
        assert np.array_equal(found, expected)


def test_the_columns_are_those_of_the_schema(backbone: Backbone) -> None:
    rows = images(good("1"))
    features = embed_images(rows, backbone, FeaturizeParameters(fit="pad"))
    assert columns_of(features) == types_of(schemas.FEATURES)
    (row,) = by_path(features).values()
    assert {n: row[n] for n in key_of(row["path"])} == key_of("Test/Kiwi/1")
    assert len(row["features"]) == backbone.card.width


def test_a_batch_of_broken_photos_has_no_features(backbone: Backbone) -> None:
    rows = images(broken("1"), broken("2"))
    features = embed_images(rows, backbone, FeaturizeParameters(fit="pad"))
    assert features.count() == 0
