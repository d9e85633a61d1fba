"""Check that the selected nodes of a run find their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline

from fruits_pipeline.datasets import PhotoStore
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.exit_codes import UserError
from fruits_pipeline.hooks.errors import raise_for_user


class SelectionHooks:
    """Raises before a run if a node needs the result in memory of a node that is not run."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(
        self, run_params: Mapping[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Check the inputs of the selected nodes.

        Raises:
            click.ClickException: An input is not stored, and no selected node computes it;
                or the photo root is missing.
        """
        if not run_params.get("only_missing_outputs"):
            _check_photo_root(pipeline, catalog)
        missing = [
            name for name in sorted(pipeline.inputs()) if _is_lost(catalog, name)
        ]
        if not missing:
            return
        names = run_params.get("pipeline_names") or ["__default__"]
        complete = sum((pipelines[name] for name in names), Pipeline([]))
        starts = ",".join(sorted(_starts(complete, catalog, missing)))
        users = sorted(n.name for n in pipeline.nodes if {*n.inputs} & {*missing})
        raise UserError(
            f"Found that the node {users[0]} needs {', '.join(missing)}, which is not "
            "stored; expected a selection with the node that computes it. Use "
            f"--from-nodes={starts}"
        )


def _check_photo_root(pipeline: Pipeline, catalog: DataCatalog) -> None:
    for dataset in map(catalog.get, pipeline.inputs()):
        if type(dataset) is PhotoStore:  # not a subclass that accepts a missing folder
            try:
                dataset.check_location()
            except FruitsError as exc:
                raise_for_user(exc)


def _is_lost(catalog: DataCatalog, name: str) -> bool:
    if name == "parameters" or name.startswith("params:"):
        return False
    return isinstance(catalog.get(name), MemoryDataset) and not catalog.exists(name)


def _starts(pipeline: Pipeline, catalog: DataCatalog, missing: list[str]) -> set[str]:
    """Return the nodes from which all missing datasets can be computed."""
    starts: set[str] = set()
    for node in pipeline.nodes:
        if {*node.outputs} & {*missing}:
            above = [name for name in node.inputs if _is_lost(catalog, name)]
            starts |= _starts(pipeline, catalog, above) if above else {node.name}
    return starts
