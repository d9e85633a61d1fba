from typing import Any

import numpy as np
import pandas as pd
import pytest
from factories import by_path, column_types, frame, jpeg, key_of, spark_types
from frame_helpers import fail_if_read
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.fitting import Fit, fit
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.parameters import FeaturizeParameters
from fruits_pipeline.pipelines.featurize.nodes import check_error_rate, embed_images
from fruits_pipeline.spark.frames import map_arrow

pytestmark = pytest.mark.usefixtures("spark")


def good(name: str, seed: int = 0) -> dict[str, Any]:
    return {**key_of(f"Test/Kiwi/{name}"), "image": jpeg(seed)}


def broken(name: str) -> dict[str, Any]:
    return {**key_of(f"Test/Kiwi/{name}"), "error": f"cannot be decoded: {name}"}


def images(*rows: dict[str, Any]) -> DataFrame:
    return frame(rows, schemas.IMAGES)


def table(*batches: list[dict[str, Any]]) -> tuple[DataFrame, pd.DataFrame]:
    """Return the table `images` and its counts by batch."""
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


@pytest.mark.parametrize("max_error_rate", [0.25, 1.0])
def test_error_rate_up_to_the_maximum_is_accepted(max_error_rate: float) -> None:
    rows, counts = table([good("1"), good("2"), good("3"), broken("4")])
    check_error_rate(rows, counts, max_error_rate)


def test_error_rate_above_the_maximum_is_rejected() -> None:
    rows, counts = table([good("1"), broken("2")], [broken("3"), good("4")])
    with pytest.raises(FruitsError) as caught:
        check_error_rate(rows, counts, 0.4)
    message = str(caught.value)
    assert "Found 2 of 4 photos that cannot be decoded (50.0%)" in message
    assert "Test/Kiwi/2: cannot be decoded: 2; Test/Kiwi/3" in message
    assert "preprocess.max_error_rate = 40.0%" in message


def test_error_message_names_at_most_three_photos() -> None:
    rows, counts = table([broken(name) for name in "52341"])
    with pytest.raises(FruitsError) as caught:
        check_error_rate(rows, counts, 0.0)
    named = [name for name in "12345" if f"Test/Kiwi/{name}:" in str(caught.value)]
    assert named == ["1", "2", "3"]


def test_error_rate_is_that_of_all_batches() -> None:
    rows, counts = table([broken("1")], [good("2"), good("3"), good("4")])
    check_error_rate(rows, counts, 0.25)


def test_accepted_images_are_not_read() -> None:
    rows, counts = table([good("1"), broken("2")])
    check_error_rate(map_arrow(rows, fail_if_read, schemas.IMAGES), counts, 0.5)


@pytest.mark.parametrize("how", ["pad", "crop", "stretch"])
def test_decodable_photos_have_their_features(backbone: Backbone, how: Fit) -> None:
    rows = [good(str(seed), seed) for seed in range(7)]
    photos = images(*rows[:4], broken("broken"), *rows[4:])
    found = by_path(embed_images(photos, backbone, FeaturizeParameters(fit=how)))
    assert found.keys() == {row["path"] for row in rows}
    for seed in range(7):
        photo = fit(jpeg(seed), backbone.card.input_size, how)
        (expected,) = backbone.embed([photo])
        features = np.float32(found[f"Test/Kiwi/{seed}"]["features"])
        assert np.array_equal(features, expected)


def test_features_have_the_columns_of_their_schema(backbone: Backbone) -> None:
    rows = images(good("1"))
    features = embed_images(rows, backbone, FeaturizeParameters(fit="pad"))
    assert column_types(features) == spark_types(schemas.FEATURES)
    (row,) = by_path(features).values()
    assert {n: row[n] for n in key_of(row["path"])} == key_of("Test/Kiwi/1")
    assert len(row["features"]) == backbone.card.width


def test_batch_of_rejected_photos_has_no_features(backbone: Backbone) -> None:
    rows = images(broken("1"), broken("2"))
    features = embed_images(rows, backbone, FeaturizeParameters(fit="pad"))
    assert features.count() == 0
