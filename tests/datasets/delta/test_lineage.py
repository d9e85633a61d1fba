from pathlib import Path
from typing import Any

import pytest
from delta_batches import batches, data_files, fail_if_computed, stored_ids
from deltalake import DeltaTable
from factories import fingerprints

from fruits_pipeline.datasets import DeltaBatches
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.lineage import Lineage

pytestmark = pytest.mark.usefixtures("spark")

RECIPE = {"preprocess.short_side": 256}
OTHER_RECIPE = {"preprocess.short_side": 64}


def images_with(folder: Path, **settings: Any) -> DeltaBatches:
    return DeltaBatches(filepath=str(folder / "images"), table="images", **settings)


class Upstream:
    def build_id(self) -> str:
        return "an id"

    def check_current(self) -> None:
        """Accept every state."""


def test_recipe_and_source_ids_are_table_properties(images: DeltaBatches) -> None:
    images.prepare(Lineage(RECIPE, (Upstream(),)))
    images.save(batches({"000001": ["a"]}))
    properties = DeltaTable(images.filepath).metadata().configuration
    assert properties["fruits.recipe"] == '{"preprocess.short_side": 256}'
    assert properties["fruits.origin"] == '["an id"]'


def test_same_recipe_is_accepted(images: DeltaBatches) -> None:
    images.prepare(Lineage(RECIPE))
    images.save(batches({"000001": ["a"]}))
    images.check(Lineage(RECIPE))
    images.prepare(Lineage(RECIPE))
    assert images.recipe() == RECIPE


def test_changed_recipe_is_refused_and_nothing_changes(images: DeltaBatches) -> None:
    images.prepare(Lineage(RECIPE))
    images.save(batches({"000001": ["a"]}))
    before = fingerprints(Path(images.filepath))
    with pytest.raises(FruitsError, match=r"preprocess.short_side was 256, is 64"):
        images.check(Lineage(OTHER_RECIPE))
    assert fingerprints(Path(images.filepath)) == before


def test_rebuild_replaces_all_rows_and_deletes_their_files(tmp_path: Path) -> None:
    images = images_with(tmp_path, changed_recipe="rebuild")
    images.prepare(Lineage(RECIPE))
    images.save(batches({"000001": ["a"], "000002": ["b"]}))
    images.check(Lineage(OTHER_RECIPE))
    images.prepare(Lineage(OTHER_RECIPE))
    images.save(batches({"000001": ["c"]}))
    assert stored_ids(images) == {"000001": ["c"]}
    assert images.recipe() == OTHER_RECIPE
    assert len(data_files(images)) == 1


def test_accepted_location_keeps_all_rows(tmp_path: Path) -> None:
    images = images_with(tmp_path, changed_location="accept")
    images.prepare(Lineage({"photos": "old"}))
    images.save(batches({"000001": ["a"]}))
    first_id = images.build_id()
    images.check(Lineage({"photos": "new"}))
    images.prepare(Lineage({"photos": "new"}))
    images.save({"000001": fail_if_computed})
    assert (images.recipe(), images.build_id()) == ({"photos": "new"}, first_id)
