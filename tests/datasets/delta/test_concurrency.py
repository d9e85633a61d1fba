import pytest
from delta_batches import batches, fail_if_computed, stored_ids
from kedro.io import DatasetError
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaBatches
from fruits_pipeline.lineage import Lineage

pytestmark = pytest.mark.usefixtures("spark")


def test_run_stops_if_another_run_claims_its_table(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    other_run = DeltaBatches(filepath=images.filepath, table="images")

    def interrupted() -> DataFrame:
        other_run.save({"000001": fail_if_computed, **batches({"000002": ["b"]})})
        return batches({"000002": ["b"]})["000002"]()

    with pytest.raises(DatasetError, match="another run has begun to write"):
        images.save({"000001": fail_if_computed, "000002": interrupted})
    stored = {"000001": ["a"], "000002": ["b"]}
    assert stored_ids(images) == stored
    images.save(dict.fromkeys(stored, fail_if_computed) | batches({"000003": ["c"]}))
    assert stored_ids(images) == stored | {"000003": ["c"]}


def test_run_stops_if_another_run_rebuilds_the_upstream_table(
    photos: DeltaBatches, images: DeltaBatches
) -> None:
    photos.save(batches({"000001": ["a"]}, schemas.PHOTOS))
    photos.load()
    other_run = DeltaBatches(filepath=photos.filepath, table="photos")
    other_run.lineage = Lineage({"preprocess.short_side": 64})
    other_run.save(batches({"000001": ["b"]}, schemas.PHOTOS))
    images.lineage = Lineage({}, (photos,))
    with pytest.raises(DatasetError, match="another run has begun to write"):
        images.save(batches({"000001": ["a"]}))


def test_run_stops_if_another_run_used_its_batch_numbers(photos: DeltaBatches) -> None:
    photos.save(batches({"000001": ["a"]}, schemas.PHOTOS))
    with pytest.raises(DatasetError, match="another run has begun to write"):
        photos.save(batches({"000001": ["a", "b"]}, schemas.PHOTOS))
    assert stored_ids(photos) == {"000001": ["a"]}
