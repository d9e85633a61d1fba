"""Skip report nodes whose outputs are up to date."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from fruits_pipeline.lineage import UNCHANGED

logger = logging.getLogger(__name__)

STATES = "report_states"
"""Dataset with the state of the inputs of each node when its outputs were saved."""

PACKAGE = Path(__file__).parents[1]


class ReportHooks:
    """Skips nodes of `when_changed` whose inputs are those of the last run."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.new: dict[str, str] = {}

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Read the states of the last run, if any node may be skipped."""
        self.states, self.new = {}, {}
        if any(map(_may_be_skipped, pipeline.nodes)):
            self.states = _stored(catalog)

    @hook_impl
    def before_node_run(
        self, node: Node, catalog: DataCatalog, inputs: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Replace the inputs of a node by `UNCHANGED` if its outputs are up to date."""
        if not _may_be_skipped(node):
            return None
        state = _state_of(catalog, inputs)
        self.new[node.name] = state
        there = all(catalog.exists(name) for name in node.outputs)
        if there and self.states.get(node.name) == state:
            logger.info("%s: unchanged", node.name)
            return dict.fromkeys(inputs, UNCHANGED)
        # Whatever happens until its outputs are saved, they are not up to date.
        self.states.pop(node.name, None)
        return None

    @hook_impl
    def after_dataset_saved(self, node: Node) -> None:
        """Note the state of the inputs that the outputs of a node were made from."""
        if node.name in self.new:
            self.states[node.name] = self.new[node.name]

    @hook_impl
    def after_pipeline_run(self, catalog: DataCatalog) -> None:
        """Write the states of this run."""
        self._save(catalog)

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self, catalog: DataCatalog) -> None:
        """Write the states of a run that failed later."""
        self._save(catalog)

    def _save(self, catalog: DataCatalog) -> None:
        if self.new and self.states != _stored(catalog):
            catalog.save(STATES, self.states)


def _stored(catalog: DataCatalog) -> dict[str, str]:
    """Return the states of the last run; none if the file is missing or damaged."""
    try:
        states: dict[str, str] = catalog.load(STATES)
    except DatasetError:
        return {}
    return states


def _may_be_skipped(node: Node) -> bool:
    return bool(getattr(node.func, "skips_unchanged", False))


def _state_of(catalog: DataCatalog, inputs: Mapping[str, Any]) -> str:
    """Return a digest of the inputs of a node, and of the program."""
    states = [_code()]
    for name, value in inputs.items():
        dataset: Any = catalog.get(name)
        stored = dataset.state() if hasattr(dataset, "state") else repr(value)
        states.append(f"{name} {stored}")
    return hashlib.sha256("\n".join(states).encode()).hexdigest()


def _code() -> str:
    """Return a digest of this package: figures change with the code that draws them."""
    digest = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
