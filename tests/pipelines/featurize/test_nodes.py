from typing import Any

import numpy as np
import pandas as pd
import pytest
from factories import by_path, column_types, frame, jpeg, key_of, spark_types
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.imaging.fitting import Fit, fit
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.parameters import FeaturizeParameters
from fruits_pipeline.pipelines.featurize.nodes import check_error_rate, embed_images

pytestmark = pytest.mark.usefixtures("spark")


def good(name: str, seed: int = 0) -> dict[str, Any]:
    return {**key_of(f"Test/Kiwi/{name}"), "image": jpeg(seed)}


def broken(name: str) -> dict[str, Any]:
    return {**key_of(f"Test/Kiwi/{name}"), "error": f"cannot be decoded: {name}"}


def images(*rows: dict[str, Any]) -> DataFrame:
    return frame(rows, schemas.IMAGES)


def rejects(*names: str, unread: int = 0) -> pd.DataFrame:
    """Return the list of rejects; the first `unread` photos could not be read."""
    rows = [
        (f"Test/Kiwi/{name}", "ingest" if i < unread else "preprocess", f"error {name}")
        for i, name in enumerate(names)
    ]
    return pd.DataFrame(rows, columns=["path", "stage", "error"])


def counts(photos: list[int], rejected: list[int]) -> pd.DataFrame:
    """Return the counts of the table `images` by batch."""
    return pd.DataFrame({"photos": photos, "rejected": rejected})


@pytest.mark.parametrize("max_error_rate", [0.25, 1.0])
def test_error_rate_up_to_the_maximum_is_accepted(max_error_rate: float) -> None:
    check_error_rate(rejects("4"), counts([4], [1]), max_error_rate)


def test_error_rate_above_the_maximum_is_rejected() -> None:
    with pytest.raises(FruitsError) as caught:
        check_error_rate(rejects("2", "3", unread=1), counts([2, 2], [1, 1]), 0.4)
    message = str(caught.value)
    assert "Found 2 of 4 photos rejected (50.0%): 1 that cannot be read, " in message
    assert "1 that cannot be decoded, such as " in message
    assert "Test/Kiwi/2: error 2; Test/Kiwi/3: error 3. " in message
    assert "preprocess.max_error_rate = 40.0%" in message
    assert "08_reporting/rejects.csv" in message


def test_error_message_names_at_most_three_photos() -> None:
    with pytest.raises(FruitsError) as caught:
        check_error_rate(rejects(*"12345"), counts([5], [5]), 0.0)
    named = [name for name in "12345" if f"Test/Kiwi/{name}:" in str(caught.value)]
    assert named == ["1", "2", "3"]


def test_error_message_names_photos_with_the_more_frequent_cause() -> None:
    with pytest.raises(FruitsError, match="such as Test/Kiwi/2: .*3: .*1: "):
        check_error_rate(rejects(*"123", unread=1), counts([3], [3]), 0.0)


def test_error_rate_is_that_of_all_batches() -> None:
    check_error_rate(rejects("1"), counts([1, 3], [1, 0]), 0.25)


@pytest.mark.parametrize("how", ["pad", "crop", "stretch"])
def test_decodable_photos_have_their_features(backbone: Backbone, how: Fit) -> None:
    rows = [good(str(seed), seed) for seed in range(7)]
    photos = images(*rows[:4], broken("broken"), *rows[4:])
    found = by_path(embed_images(photos, backbone, FeaturizeParameters(fit=how), 60))
    assert found.keys() == {row["path"] for row in rows}
    for seed in range(7):
        photo = fit(jpeg(seed), backbone.card.input_size, how)
        (expected,) = backbone.embed([photo])
        features = np.float32(found[f"Test/Kiwi/{seed}"]["features"])
        assert np.array_equal(features, expected)


def test_features_have_the_columns_of_their_schema(backbone: Backbone) -> None:
    rows = images(good("1"))
    features = embed_images(rows, backbone, FeaturizeParameters(fit="pad"), 60)
    assert column_types(features) == spark_types(schemas.FEATURES)
    (row,) = by_path(features).values()
    assert {n: row[n] for n in key_of(row["path"])} == key_of("Test/Kiwi/1")
    assert len(row["features"]) == backbone.card.width


def test_batch_of_rejected_photos_has_no_features(backbone: Backbone) -> None:
    rows = images(broken("1"), broken("2"))
    features = embed_images(rows, backbone, FeaturizeParameters(fit="pad"), 60)
    assert features.count() == 0
