from collections.abc import Callable
from pathlib import Path

import pytest
from delta_batches import batches, fail_if_computed, log_of, stored_ids
from kedro.io import DatasetError
from pyspark.sql import DataFrame

from fruits_pipeline import schemas
from fruits_pipeline.datasets import DeltaBatches, DeltaPandas
from fruits_pipeline.datasets.delta.writer import TableWriter
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.lease.held import HELD, hold_lease, release_lease
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


MESSAGE = "another run has begun to write"


def other_run(table: DeltaBatches) -> DeltaBatches:
    """Return the dataset of another run on the same table, which has just started."""
    other = DeltaBatches(
        filepath=table.filepath, table=table.table, changed_recipe="rebuild"
    )
    other.prepare(table.lineage)
    return other


@pytest.mark.parametrize("first", [{}, {"000001": ["a"]}], ids=["missing", "existing"])
def test_run_stops_if_another_run_has_changed_its_table_since_its_start(
    photos: DeltaBatches, first: dict[str, list[str]]
) -> None:
    """Its batches were planned before the batches of the other run were committed."""
    if first:
        photos.save(batches(first, schemas.PHOTOS))
    photos.prepare(Lineage())
    other_run(photos).save(batches({"000002": ["b"]}, schemas.PHOTOS))
    with pytest.raises(DatasetError, match=MESSAGE):
        photos.save(batches({"000003": ["b", "c"]}, schemas.PHOTOS))
    with pytest.raises(FruitsError, match=MESSAGE):
        photos.check_unchanged()
    assert stored_ids(photos) == {**first, "000002": ["b"]}


def test_claim_fails_if_the_table_has_changed_since_it_was_planned(
    images: DeltaBatches,
) -> None:
    images.save(batches({"000001": ["a"]}))
    planned = TableWriter(log_of(images))
    images.save(batches({"000001": ["a"], "000002": ["b"]}))
    with pytest.raises(FruitsError, match=MESSAGE):
        planned.claim()


def test_one_of_two_runs_that_rebuild_a_table_stops(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    images.changed_recipe = "rebuild"
    new = Lineage({"preprocess.short_side": 64})
    images.prepare(new)
    other = other_run(images)
    other.save(batches({"000001": ["a*"], "000002": ["b"]}))
    with pytest.raises(DatasetError, match=MESSAGE):
        images.save(batches({"000001": ["a"]}))
    assert stored_ids(images) == {"000001": ["a*"], "000002": ["b"]}


def test_run_stops_if_another_run_changes_the_upstream_table(
    photos: DeltaBatches, images: DeltaBatches, save_images: Callable[[], None]
) -> None:
    photos.save(batches({"000001": ["a"]}, schemas.PHOTOS))
    loaded = photos.load()
    other_run(photos).save(batches({"000002": ["a*"]}, schemas.PHOTOS))
    images.lineage = Lineage({}, (photos,))
    with pytest.raises(DatasetError, match=MESSAGE):
        images.save(loaded)
    save_images()
    assert stored_ids(images) == {"000002": ["a*"]}


class Pca:
    """A PCA, which another run replaces while rows are computed."""

    is_current = True

    def build_id(self) -> str:
        return "a digest"

    def check_current(self) -> None:
        if not self.is_current:
            raise FruitsError(MESSAGE)


@pytest.mark.parametrize("moment", ["before", "during"])
def test_run_stops_if_another_run_replaces_a_source(
    images: DeltaBatches, moment: str
) -> None:
    pca = Pca()
    images.prepare(Lineage({}, (pca,)))
    pca.is_current = moment != "before"

    def interrupted() -> DataFrame:
        pca.is_current = False
        return batches({"000001": ["a"]})["000001"]()

    with pytest.raises(DatasetError, match=MESSAGE):
        images.save({"000001": interrupted})
    assert Path(images.filepath).exists() == (moment == "during")


def test_pinned_table_is_not_replaced(images: DeltaBatches) -> None:
    images.save(batches({"000001": ["a"]}))
    view = DeltaPandas(filepath=images.filepath, table="images")
    view.pin()
    assert len(view.load()) == 1
    view.check_current()
    images.lineage = Lineage({"preprocess.short_side": 64})
    images.save(batches({"000001": ["a"]}))
    with pytest.raises(FruitsError, match=MESSAGE):
        view.check_current()
    with pytest.raises(DatasetError, match=MESSAGE):
        view.load()


def test_no_commit_is_made_after_the_lease_is_lost(
    images: DeltaBatches, tmp_path: Path
) -> None:
    images.save(batches({"000001": ["a"]}))
    hold_lease(str(tmp_path), "kedro run")
    (tmp_path / ".lease.json").write_text("{}")
    HELD[0].renewed_at -= 100
    try:
        with pytest.raises(DatasetError, match="taken over by an unknown process"):
            images.save(batches({"000001": ["a"], "000002": ["b"]}))
    finally:
        release_lease()
    assert stored_ids(images) == {"000001": ["a"]}
