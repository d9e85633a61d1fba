from typing import Any

import click
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.hooks.lineage import LineageHooks, prepare_outputs
from fruits_pipeline.lineage import Lineage


class PhotoStore:
    """A source without a path."""

    def recipe(self) -> dict[str, Any]:
        return {"photos": "there"}


class Table:
    """A table that stores a recipe, and records the lineage of the run."""

    def __init__(self, filepath: str) -> None:
        self.filepath = filepath
        self.stored_recipe: dict[str, Any] = {}
        self.lineage: Lineage | None = None

    def build_id(self) -> str:
        return f"id of {self.filepath}"

    def check_current(self) -> None:
        """Accept every state."""

    def recipe(self) -> dict[str, Any]:
        return self.stored_recipe

    def check(self, lineage: Lineage) -> None:
        if self.stored_recipe and self.stored_recipe != lineage.recipe:
            raise FruitsError("changed recipe")

    def prepare(self, lineage: Lineage) -> None:
        self.lineage = lineage


PREPROCESS = {
    "short_side": 32,
    "decode_memory_mib": 64,
    "seconds_per_photo": 60,
    "max_error_rate": 0.05,
}
PREPROCESS_RECIPE = {
    "preprocess.short_side": 32,
    "preprocess.decode_memory_mib": 64,
    "preprocess.seconds_per_photo": 60,
}


def node(name: str, inputs: list[str], outputs: str) -> Node:
    def function(*_: object) -> None:
        """Do nothing."""

    return Node(function, inputs=inputs, outputs=outputs, name=name)


PIPELINE = Pipeline(
    [
        node("plan", ["store", "existing_photos"], "new"),
        node("fetch", ["new"], "photos@batches"),
        node("decode", ["photos@batches", "params:preprocess"], "images@batches"),
        node(
            "accept",
            ["images@batches", "images@counts", "params:preprocess.max_error_rate"],
            "accepted",
        ),
        node("embed", ["accepted", "backbone"], "features@batches"),
    ]
)


class Backbone:
    def recipe(self) -> dict[str, Any]:
        return {"backbone": "digest"}


@pytest.fixture
def datasets() -> dict[str, Any]:
    return {
        "store": PhotoStore(),
        "existing_photos": Table("photos"),
        "new": MemoryDataset(),
        "photos@batches": Table("photos"),
        "images@batches": Table("images"),
        "images@counts": Table("images"),
        "accepted": MemoryDataset(),
        "backbone": Backbone(),
        "features@batches": Table("features"),
        "params:preprocess": MemoryDataset(PREPROCESS),
        "params:preprocess.max_error_rate": MemoryDataset(0.05),
    }


class Catalog(DataCatalog):
    """A catalog of objects that are not Kedro datasets."""

    def __init__(self, datasets: dict[str, Any]) -> None:
        super().__init__()
        self.datasets = datasets

    def get(self, name: str, **_: object) -> Any:  # type: ignore[override]
        return self.datasets[name]

    def load(self, name: str, **_: object) -> Any:  # type: ignore[override]
        return self.datasets[name].load()


def test_recipe_includes_all_upstream_nodes(datasets: dict[str, Any]) -> None:
    prepare_outputs(PIPELINE, Catalog(datasets))
    assert datasets["photos@batches"].lineage.recipe == {"photos": "there"}
    images = {"photos": "there", **PREPROCESS_RECIPE}
    assert datasets["images@batches"].lineage.recipe == images
    features = datasets["features@batches"].lineage.recipe
    assert features == images | {"backbone": "digest"}


def test_sources_are_the_upstream_tables(datasets: dict[str, Any]) -> None:
    prepare_outputs(PIPELINE, Catalog(datasets))
    assert datasets["photos@batches"].lineage.source_ids() == []
    assert datasets["images@batches"].lineage.source_ids() == ["id of photos"]
    assert datasets["features@batches"].lineage.sources == (datasets["images@batches"],)


def test_existing_photos_get_the_lineage_of_photos(datasets: dict[str, Any]) -> None:
    prepare_outputs(PIPELINE, Catalog(datasets))
    expected = datasets["photos@batches"].lineage
    assert datasets["existing_photos"].lineage == expected


def test_single_stage_continues_the_stored_recipe(datasets: dict[str, Any]) -> None:
    datasets["photos@batches"].stored_recipe = {"photos": "elsewhere"}
    prepare_outputs(PIPELINE.only_nodes("decode"), Catalog(datasets))
    images = datasets["images@batches"].lineage
    assert images.recipe == {"photos": "elsewhere", **PREPROCESS_RECIPE}
    assert images.source_ids() == ["id of photos"]


def test_no_output_is_prepared_if_a_recipe_changed(datasets: dict[str, Any]) -> None:
    datasets["features@batches"].stored_recipe = {"backbone": "another"}
    with pytest.raises(click.ClickException, match="changed recipe"):
        LineageHooks().before_pipeline_run(PIPELINE, Catalog(datasets))
    assert datasets["photos@batches"].lineage is None
