from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from making import BACKBONE, batches, by_path, columns_of, jpeg, key_of, types_of

from fruits_pipeline import schemas
from fruits_pipeline.backbones import Backbone
from fruits_pipeline.batches import Batches
from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.parameters import FeaturizeParameters
from fruits_pipeline.photos import Fit, fit
from fruits_pipeline.pipelines.featurize.nodes import accept_images, embed_images

pytestmark = pytest.mark.usefixtures("spark")

RECIPE = {"preprocess.short_side": 256}


def good(name: str, seed: int = 0) -> dict[str, Any]:
    return {**key_of(f"Test/Kiwi/{name}"), "image": jpeg(seed)}


def broken(name: str) -> dict[str, Any]:
    return {**key_of(f"Test/Kiwi/{name}"), "error": f"cannot be decoded: {name}"}


def images(**rows: Sequence[dict[str, Any]]) -> Batches:
    """Return the table `images` of batches named b000001 and so on."""
    named = {name.removeprefix("b"): row for name, row in rows.items()}
    return batches(named, schemas.IMAGES, RECIPE)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return BackboneFolder(filepath=str(BACKBONE)).load()


def test_broken_photos_are_left_out() -> None:
    table = images(b000001=[good("1"), broken("2"), good("3")])
    accepted = by_path(accept_images(table, 0.5).rows())
    assert accepted.keys() == {"Test/Kiwi/1", "Test/Kiwi/3"}


@pytest.mark.parametrize("max_error_rate", [0.25, 1.0])
def test_as_many_broken_photos_as_allowed_pass(max_error_rate: float) -> None:
    rows = [good("1"), good("2"), good("3"), broken("4")]
    accepted = accept_images(images(b000001=rows), max_error_rate)
    assert accepted.rows().count() == 3


def test_too_many_broken_photos_stop_the_run_in_words() -> None:
    table = images(b000001=[good("1"), broken("2")], b000002=[broken("3"), good("4")])
    with pytest.raises(FruitsError) as stopped:
        accept_images(table, 0.4)
    words = str(stopped.value)
    assert "Found 2 of 4 photos that cannot be decoded (50.0%)" in words
    assert "Test/Kiwi/2: cannot be decoded: 2; Test/Kiwi/3" in words
    assert "preprocess.max_error_rate = 40.0%" in words


def test_a_broken_photo_that_was_mended_counts_no_more() -> None:
    table = images(b000001=[broken("1"), good("2")], b000002=[good("1")])
    assert accept_images(table, 0).rows().count() == 2


def test_a_good_photo_that_was_replaced_by_a_broken_one_counts() -> None:
    table = images(b000001=[good("1"), good("2")], b000002=[broken("1")])
    with pytest.raises(FruitsError, match="Found 1 of 2 photos"):
        accept_images(table, 0.4)


def test_accepting_leaves_the_recipe_alone() -> None:
    assert accept_images(images(b000001=[good("1")]), 0.4).recipe == RECIPE


@pytest.mark.parametrize("how", ["pad", "stretch"])
def test_features_are_those_of_the_photo_beside_them(
    backbone: Backbone, how: Fit
) -> None:
    table = images(b000001=[good(str(seed), seed) for seed in range(7)])
    rows = by_path(embed_images(table, backbone, FeaturizeParameters(fit=how)).rows())
    assert len(rows) == 7
    for seed in range(7):
        photo = fit(jpeg(seed), backbone.card.input_size, how)
        (expected,) = backbone.embed([photo])
        found = np.float32(rows[f"Test/Kiwi/{seed}"]["features"])
        assert np.array_equal(found, expected)


def test_the_columns_are_those_of_the_schema(backbone: Backbone) -> None:
    table = images(b000001=[good("1")])
    features = embed_images(table, backbone, FeaturizeParameters(fit="pad"))
    assert columns_of(features.rows()) == types_of(schemas.FEATURES)
    (row,) = by_path(features.rows()).values()
    assert {n: row[n] for n in key_of(row["path"])} == key_of("Test/Kiwi/1")
    assert len(row["features"]) == backbone.card.width


def test_a_batch_of_broken_photos_has_no_features(backbone: Backbone) -> None:
    table = accept_images(images(b000001=[broken("1"), broken("2")]), 1.0)
    features = embed_images(table, backbone, FeaturizeParameters(fit="pad"))
    assert features.rows().count() == 0


def test_the_recipe_names_the_very_backbone(backbone: Backbone) -> None:
    table = images(b000001=[good("1")])
    features = embed_images(table, backbone, FeaturizeParameters(fit="crop"))
    assert features.recipe == {
        **RECIPE,
        "featurize.fit": "crop",
        "featurize.backbone": backbone.card.sha256,
    }
