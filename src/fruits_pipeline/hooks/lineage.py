"""Derive the lineage of datasets from the pipeline, and check it before the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from fruits_pipeline.datasets.delta.cache import CACHE
from fruits_pipeline.datasets.delta.dataset import DeltaDataset
from fruits_pipeline.datasets.delta.errors import ConcurrentRunError
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.hooks.current import (
    check_datasets,
    check_pca,
    find_other_run,
    location_of,
)
from fruits_pipeline.hooks.errors import raise_for_user
from fruits_pipeline.hooks.vanished import check_photos_exist
from fruits_pipeline.lineage import Lineage, Recipe, Source
from fruits_pipeline.parameters import recipe_values

PARAMETER_PREFIX = "params:"

MEND_TAG = "mend"
"""Tag of nodes of the pipeline that repairs its outputs."""


class LineageHooks:
    """Prepares all outputs before the first node runs, and caches tables during a run."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Check the lineage of all outputs, and set it.

        Raises:
            click.ClickException: An output must not be written.
        """
        try:
            prepare_outputs(pipeline, catalog)
        except Exception as exc:
            CACHE.stop()
            raise_for_user(exc)

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Check that the datasets are still those of this run, and empty the table cache.

        Raises:
            click.ClickException: Another run has rebuilt a table or replaced the PCA.
        """
        try:
            check_datasets(pipeline, catalog)
        except FruitsError as exc:
            raise_for_user(exc)
        finally:
            CACHE.stop()

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Name another run if it has caused the error, and empty the table cache.

        The other run deletes files of tables that it rebuilds, for example.

        Raises:
            click.ClickException: Another run has changed a dataset of this run.
        """
        try:
            find_other_run(pipeline, catalog)
        except ConcurrentRunError as exc:
            raise_for_user(exc)
        finally:
            CACHE.stop()


def prepare_outputs(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Set the lineage of all outputs, if each of them may be written.

    An input can be an older version of an output, as `existing_pca` is of `pca`. It gets
    the lineage of the output, and loads nothing if the output will be rebuilt.

    Raises:
        FruitsError: An output must not be written, for example because its recipe
            changed. Nothing was changed.
    """
    lineages = _derive_lineages(pipeline, catalog)
    dataset: Any
    outputs = [
        (dataset, lineage)
        for name, lineage in lineages.items()
        if hasattr(dataset := catalog.get(name), "prepare")
    ]
    if any(MEND_TAG in node.tags for node in pipeline.nodes):
        _restore(outputs)
    check_photos_exist(pipeline, catalog)
    for dataset, lineage in outputs:
        dataset.check(lineage)
    for dataset, lineage in outputs:
        dataset.prepare(lineage)
    check_pca(pipeline, catalog)
    by_location = {location_of(catalog, name): lineages[name] for name in lineages}
    by_location.pop(None, None)
    for name in pipeline.inputs():
        dataset = catalog.get(name)
        location = location_of(catalog, name)
        if location in by_location:
            if hasattr(dataset, "lineage"):
                dataset.lineage = by_location[location]
        elif hasattr(dataset, "pin"):
            dataset.pin()


def _restore(outputs: Sequence[tuple[Any, Lineage]]) -> None:
    """Make lost and damaged logs and models usable, before their content is checked.

    Raises:
        FruitsError: A storage is not reachable, or contains files of another program.
    """
    table_ids = _recorded_ids(outputs)
    for dataset, _ in outputs:
        # If `images` is lost too, no table has the id of `photos`; rows follow by key.
        if table_ids and getattr(dataset, "table", None) == "photos":
            table_ids.setdefault(dataset.filepath, str(uuid4()))
    for dataset, lineage in outputs:
        dataset.mends = True
        dataset.restore(lineage, table_ids.get(dataset.filepath))


def _recorded_ids(outputs: Sequence[tuple[Any, Lineage]]) -> dict[str, str]:
    """Return the ids of tables, as recorded by the outputs computed from them."""
    found: dict[str, str] = {}
    for dataset, lineage in outputs:
        try:
            ids = dataset.source_ids()
        except FruitsError:  # damaged itself
            continue
        for source, build_id in zip(lineage.sources, ids, strict=False):
            if build_id and isinstance(source, DeltaDataset):
                found.setdefault(source.filepath, build_id)
    return found


def _derive_lineages(pipeline: Pipeline, catalog: DataCatalog) -> dict[str, Lineage]:
    """Return the lineage of each output of the nodes, by dataset name."""
    written = {location_of(catalog, name) for name in pipeline.all_outputs()} - {None}
    lineages: dict[str, Lineage] = {}
    by_base_name: dict[str, Lineage] = {}
    for node in pipeline.nodes:
        lineage = _derive_lineage(node, catalog, by_base_name, written)
        for name in node.outputs:
            lineages[name] = by_base_name[_base_name(name)] = lineage
    return lineages


def _derive_lineage(
    node: Node,
    catalog: DataCatalog,
    upstream: Mapping[str, Lineage],
    written: set[str | None],
) -> Lineage:
    """Return the lineage of the outputs of a node.

    Args:
        node: A node of the pipeline.
        catalog: Datasets of the pipeline.
        upstream: Lineages of the outputs of earlier nodes, by name without transcoding.
        written: Locations of all outputs of the pipeline. A dataset there that no earlier
            node computes is an older version of an output, and not a source.
    """
    recipe: Recipe = {}
    sources: dict[str, Source] = {}
    for name in node.inputs:
        dataset: Any = catalog.get(name)
        location = location_of(catalog, name)
        lineage = upstream.get(_base_name(name))
        if name.startswith(PARAMETER_PREFIX):
            parameter = name.removeprefix(PARAMETER_PREFIX)
            recipe |= recipe_values(parameter, catalog.load(name))
        elif lineage:
            recipe |= lineage.recipe
        elif location not in written and hasattr(dataset, "recipe"):
            recipe |= dataset.recipe()
        else:
            continue
        if location and hasattr(dataset, "build_id"):
            sources.setdefault(location, dataset)
        elif lineage:  # an intermediate result in memory has the sources of its node
            for source in lineage.sources:
                key = getattr(source, "filepath", str(id(source)))
                sources.setdefault(key, source)
    return Lineage(recipe, tuple(sources.values()))


def _base_name(name: str) -> str:
    """Return the name of a dataset without transcoding: `images` for `images@spark`."""
    return name.partition("@")[0]
