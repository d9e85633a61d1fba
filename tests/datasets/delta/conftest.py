"""Tables, and functions that compute them from their upstream tables."""

from collections.abc import Callable
from pathlib import Path

import pytest
from delta_batches import decode, embed
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaBatches
from fruits_pipeline.lineage import Lineage
from fruits_pipeline.spark.arrow import compute_moments
from fruits_pipeline.spark.batches import per_batch
from fruits_pipeline.spark.frames import map_arrow


@pytest.fixture
def photos(tmp_path: Path) -> DeltaBatches:
    return DeltaBatches(filepath=str(tmp_path / "photos"), table="photos")


@pytest.fixture
def images(tmp_path: Path) -> DeltaBatches:
    return DeltaBatches(filepath=str(tmp_path / "images"), table="images")


@pytest.fixture
def features(images: DeltaBatches, tmp_path: Path) -> DeltaBatches:
    table = DeltaBatches(filepath=str(tmp_path / "features"), table="features")
    table.lineage = Lineage({}, (images,))
    return table


@pytest.fixture
def moments(features: DeltaBatches, tmp_path: Path) -> DeltaBatches:
    table = DeltaBatches(filepath=str(tmp_path / "moments"), table="moments")
    table.lineage = Lineage({}, (features,))
    return table


@pytest.fixture
def save_images(photos: DeltaBatches, images: DeltaBatches) -> Callable[[], None]:
    """Compute `images` from `photos`, as a run does."""
    images.lineage = Lineage({}, (photos,))

    def decode_batch(rows: DataFrame) -> DataFrame:
        return map_arrow(rows, decode, schemas.IMAGES)

    return lambda: images.save(per_batch(decode_batch)(photos.load()))


@pytest.fixture
def save_all(
    images: DeltaBatches,
    features: DeltaBatches,
    moments: DeltaBatches,
    save_images: Callable[[], None],
) -> Callable[[], None]:
    """Compute `images`, `features` and `moments` from `photos`, as a run does."""

    def embed_batch(rows: DataFrame) -> DataFrame:
        return map_arrow(rows, embed, schemas.FEATURES)

    def measure_batch(rows: DataFrame) -> DataFrame:
        return map_arrow(rows, compute_moments, schemas.MOMENTS)

    def save() -> None:
        save_images()
        features.save(per_batch(embed_batch)(images.load()))
        moments.save(per_batch(measure_batch)(features.load()))

    return save
