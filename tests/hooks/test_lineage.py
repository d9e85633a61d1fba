from typing import Any

import click
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Node, Pipeline

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.hooks import LineageHooks
from fruits_pipeline.hooks.lineage import prepare_outputs
from fruits_pipeline.lineage import Lineage


class Store:
    """A dataset that is the start of a lineage."""

    def recipe(self) -> dict[str, Any]:
        return {"photos": "there"}


class Table:
    """A table that notes the lineage that it is told."""

    def __init__(self, place: str, stored: dict[str, Any] | None = None) -> None:
        self.filepath = place
        self.stored = stored or {}
        self.lineage: Lineage | None = None

    def identity(self) -> str:
        return f"id of {self.filepath}"

    def recipe(self) -> dict[str, Any]:
        return self.stored

    def check(self, lineage: Lineage) -> None:
        if self.stored and self.stored != lineage.recipe:
            raise FruitsError("another recipe")

    def prepare(self, lineage: Lineage) -> None:
        self.lineage = lineage


PREPROCESS = {"short_side": 32, "max_pixels": 10**6, "max_error_rate": 0.05}
SHAPED = {"preprocess.short_side": 32, "preprocess.max_pixels": 10**6}


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
        "store": Store(),
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
    """A catalog of anything."""

    def __init__(self, datasets: dict[str, Any]) -> None:
        super().__init__()
        self.given = datasets

    def get(self, name: str, **_: object) -> Any:  # type: ignore[override]
        return self.given[name]

    def load(self, name: str, **_: object) -> Any:  # type: ignore[override]
        return self.given[name].load()


def test_a_recipe_has_all_that_shaped_the_rows(datasets: dict[str, Any]) -> None:
    prepare_outputs(PIPELINE, Catalog(datasets))
    assert datasets["photos@batches"].lineage.recipe == {"photos": "there"}
    images = {"photos": "there", **SHAPED}
    assert datasets["images@batches"].lineage.recipe == images
    features = datasets["features@batches"].lineage.recipe
    assert features == images | {"backbone": "digest"}


def test_sources_are_the_tables_upstream(datasets: dict[str, Any]) -> None:
    prepare_outputs(PIPELINE, Catalog(datasets))
    assert datasets["photos@batches"].lineage.origin() == []
    assert datasets["images@batches"].lineage.origin() == ["id of photos"]
    assert datasets["features@batches"].lineage.sources == (datasets["images@batches"],)


def test_the_state_before_a_run_is_told_the_lineage_of_the_output(
    datasets: dict[str, Any],
) -> None:
    prepare_outputs(PIPELINE, Catalog(datasets))
    expected = datasets["photos@batches"].lineage
    assert datasets["existing_photos"].lineage == expected


def test_a_stage_alone_begins_with_the_stored_recipe(datasets: dict[str, Any]) -> None:
    datasets["photos@batches"].stored = {"photos": "elsewhere"}
    prepare_outputs(PIPELINE.only_nodes("decode"), Catalog(datasets))
    images = datasets["images@batches"].lineage
    assert images.recipe == {"photos": "elsewhere", **SHAPED}
    assert images.origin() == ["id of photos"]


def test_a_changed_recipe_stops_the_run_before_it_begins(
    datasets: dict[str, Any],
) -> None:
    datasets["features@batches"].stored = {"backbone": "another"}
    with pytest.raises(click.ClickException, match="another recipe"):
        LineageHooks().before_pipeline_run(PIPELINE, Catalog(datasets))
