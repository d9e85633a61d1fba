"""Derive the lineage of datasets from the pipeline, and check it before the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from fruits_pipeline.datasets import PcaFile
from fruits_pipeline.datasets.delta.dataset import DeltaDataset
from fruits_pipeline.datasets.delta.tables import CACHE
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.hooks.errors import raise_for_user
from fruits_pipeline.lineage import Lineage, Recipe, Source
from fruits_pipeline.parameters import recipe_values

PARAMETER_PREFIX = "params:"


class LineageHooks:
    """Prepares all outputs before the first node runs, and caches tables during a run."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Check the lineage of all outputs, and set it.

        Raises:
            click.ClickException: An output must not be written.
        """
        CACHE.start()
        try:
            prepare_outputs(pipeline, catalog)
        except Exception as exc:
            CACHE.stop()
            raise_for_user(exc)

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Empty the table cache."""
        CACHE.stop()

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self) -> None:
        """Empty the table cache."""
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
    for dataset, lineage in outputs:
        dataset.check(lineage)
    for dataset, lineage in outputs:
        dataset.prepare(lineage)
    _check_pca(pipeline, catalog)
    by_location = {_location(catalog, name): lineages[name] for name in lineages}
    for name in pipeline.inputs():
        dataset = catalog.get(name)
        location = _location(catalog, name)
        if location and location in by_location and hasattr(dataset, "lineage"):
            dataset.lineage = by_location[location]


def _derive_lineages(pipeline: Pipeline, catalog: DataCatalog) -> dict[str, Lineage]:
    """Return the lineage of each output of the nodes, by dataset name."""
    written = {_location(catalog, name) for name in pipeline.all_outputs()} - {None}
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
        location = _location(catalog, name)
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
            sources |= {str(id(source)): source for source in lineage.sources}
    return Lineage(recipe, tuple(sources.values()))


def _check_pca(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Raise if the inputs are a PCA and reduced vectors that another PCA computed."""
    inputs = [catalog.get(name) for name in pipeline.inputs()]
    tables = [d for d in inputs if isinstance(d, DeltaDataset) and d.table == "reduced"]
    for pca in (d for d in inputs if isinstance(d, PcaFile) and not d.optional):
        for table in tables:
            source_ids = table.source_ids()
            if source_ids and pca.fingerprint() not in source_ids:
                raise FruitsError(
                    f"Found {table.filepath} computed by another PCA than "
                    f"{pca.filepath}; expected this PCA. Run `kedro run` with the same "
                    "`root` first, which computes the vectors again."
                )


def _base_name(name: str) -> str:
    """Return the name of a dataset without transcoding: `images` for `images@spark`."""
    return name.partition("@")[0]


def _location(catalog: DataCatalog, name: str) -> str | None:
    """Return the path or URL of a dataset; None if it has none."""
    location: str | None = getattr(catalog.get(name), "filepath", None)
    return location
