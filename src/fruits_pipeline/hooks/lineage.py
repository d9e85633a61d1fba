"""Derive the lineage of datasets from the pipeline that computes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from fruits_pipeline.datasets import PcaFile
from fruits_pipeline.datasets.delta.dataset import DeltaDataset
from fruits_pipeline.datasets.delta.opening import share_tables
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.hooks.errors import raise_in_words
from fruits_pipeline.lineage import Lineage, Recipe, Source
from fruits_pipeline.parameters import shaping_values

PARAMETERS = "params:"


class LineageHooks:
    """Tells every output of a run its lineage before the first node runs."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Check recipes, and set the lineage of outputs.

        Raises:
            click.ClickException: A table may not be written.
        """
        share_tables(True)
        try:
            prepare_outputs(pipeline, catalog)
        except Exception as exc:
            share_tables(False)
            raise_in_words(exc)

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Forget the tables that the run has opened."""
        share_tables(False)

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self) -> None:
        """Forget the tables that the run has opened."""
        share_tables(False)


def prepare_outputs(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Tell each output of a pipeline its lineage, before anything is computed.

    An input that is the state of an output before the run, such as `existing_pca`, is no
    source. It is told the lineage of that output, and is empty if that will be rebuilt.

    Args:
        pipeline: The nodes of this run.
        catalog: Their datasets.

    Raises:
        FruitsError: The recipe of an output changed.
    """
    made: dict[str, Lineage] = {}
    written = {_place(catalog, name) for name in pipeline.all_outputs()} - {None}
    lineages: dict[str, Lineage] = {}
    prepared: list[tuple[Any, Lineage]] = []
    for node in pipeline.nodes:
        lineage = _lineage_of(node, catalog, made, written)
        for name in node.outputs:
            made[_base(name)] = lineage
            if place := _place(catalog, name):
                lineages[place] = lineage
            dataset: Any = catalog.get(name)
            if hasattr(dataset, "prepare"):
                dataset.check(lineage)
                prepared.append((dataset, lineage))
    for dataset, lineage in prepared:  # only if none of them refuses
        dataset.prepare(lineage)
    _check_pca(pipeline, catalog)
    for name in pipeline.inputs():
        place, dataset = _place(catalog, name), catalog.get(name)
        if place in lineages and hasattr(dataset, "lineage"):
            dataset.lineage = lineages[place]


def _check_pca(pipeline: Pipeline, catalog: DataCatalog) -> None:
    """Raise if a pipeline reads `pca`, and vectors that another PCA has computed."""
    datasets = [catalog.get(name) for name in pipeline.inputs()]
    tables = [d for d in datasets if isinstance(d, DeltaDataset)]
    for pca in (d for d in datasets if isinstance(d, PcaFile) and not d.optional):
        for table in tables:
            origin = table.origin() if table.table == "reduced" else []
            if origin and pca.state() not in origin:
                raise FruitsError(
                    f"Found {table.filepath} computed by another PCA than "
                    f"{pca.filepath}; expected the same. Run `kedro run` with the same "
                    "`root` first, which computes the vectors again."
                )


def _lineage_of(
    node: Node,
    catalog: DataCatalog,
    made: Mapping[str, Lineage],
    written: set[str | None],
) -> Lineage:
    """Return the lineage of what a node computes from its inputs."""
    recipe: Recipe = {}
    sources: dict[str, Source] = {}
    for name in node.inputs:
        dataset: Any = catalog.get(name)
        place = _place(catalog, name)
        above = made.get(_base(name))
        if name.startswith(PARAMETERS):
            recipe |= shaping_values(name.removeprefix(PARAMETERS), catalog.load(name))
        elif above:
            recipe |= above.recipe
        elif place not in written and hasattr(dataset, "recipe"):
            recipe |= dataset.recipe()
        else:
            continue
        if place and hasattr(dataset, "identity"):
            sources.setdefault(place, dataset)
        elif above:
            sources |= {str(id(source)): source for source in above.sources}
    return Lineage(recipe, tuple(sources.values()))


def _base(name: str) -> str:
    """Return the name of a dataset without its transcoding: `images@spark`, `images`."""
    return name.partition("@")[0]


def _place(catalog: DataCatalog, name: str) -> str | None:
    """Return the path or URL of a dataset of this project."""
    place: str | None = getattr(catalog.get(name), "filepath", None)
    return place
