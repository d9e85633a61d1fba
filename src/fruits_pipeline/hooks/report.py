"""Skip nodes of reports whose outputs are up to date."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from fruits_pipeline.datasets.report_folder import file_digest
from fruits_pipeline.hooks.current import file_of
from fruits_pipeline.lineage import UNCHANGED

logger = logging.getLogger(__name__)

STATES = "report_states"
"""Catalog entry: for each node, the digest of its inputs, and those of its files by name."""

PACKAGE = Path(__file__).parents[1]


class ReportHooks:
    """Skips nodes with `skip_if_unchanged` whose inputs and code did not change."""

    def __init__(self) -> None:
        self.catalog = DataCatalog()
        self.states: dict[str, Any] = {}
        self.new_digests: dict[str, str] = {}
        self.compared: set[str] = set()
        self.fingerprints: dict[str, str] = {}

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Load the digests of earlier runs, if any node can be skipped."""
        self.catalog = catalog
        self.states, self.new_digests, self.fingerprints = {}, {}, {}
        skipped = [node for node in pipeline.nodes if _can_be_skipped(node)]
        self.compared = {name for node in skipped for name in node.inputs}
        if skipped:
            self.states = _load_states(catalog)

    @hook_impl
    def before_node_run(
        self, node: Node, catalog: DataCatalog, inputs: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Replace the inputs of a node by `UNCHANGED` if its outputs are up to date."""
        if not _can_be_skipped(node):
            self._digest_results(node, catalog, inputs)
            return None
        digest = _digest_inputs(catalog, inputs, self.fingerprints)
        self.new_digests[node.name] = digest
        if self._is_up_to_date(node, digest):
            logger.info("%s: unchanged", node.name)
            return dict.fromkeys(inputs, UNCHANGED)
        # The outputs are not up to date until they are saved, even if the run fails.
        self.states.pop(node.name, None)
        return None

    def _is_up_to_date(self, node: Node, digest: str) -> bool:
        """Return whether the files of a node belong to its inputs, and are unchanged."""
        state = self.states.get(node.name)
        if not isinstance(state, dict) or state.get("inputs") != digest:
            return False
        return bool(state.get("files") == _digest_files(self.catalog, node))

    def _digest_results(
        self, node: Node, catalog: DataCatalog, inputs: Mapping[str, Any]
    ) -> None:
        """Remember the digest of the inputs of intermediate results in memory."""
        results = {name for name in node.outputs if name in self.compared}
        in_memory = [n for n in results if isinstance(catalog.get(n), MemoryDataset)]
        if in_memory:
            digest = _digest_inputs(catalog, inputs, self.fingerprints)
            self.fingerprints |= dict.fromkeys(in_memory, digest)

    @hook_impl
    def after_dataset_saved(self, node: Node) -> None:
        """Remember the digests of a node, because its outputs are saved."""
        if node.name in self.new_digests:
            self.states[node.name] = {
                "inputs": self.new_digests[node.name],
                "files": _digest_files(self.catalog, node),
            }

    @hook_impl
    def after_pipeline_run(self, catalog: DataCatalog) -> None:
        """Save the digests."""
        self._save_states(catalog)

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self, catalog: DataCatalog) -> None:
        """Save the digests of the nodes that succeeded, if possible."""
        with suppress(DatasetError):  # it would replace the error of the node
            self._save_states(catalog)

    def _save_states(self, catalog: DataCatalog) -> None:
        if self.new_digests and self.states != _load_states(catalog):
            catalog.save(STATES, self.states)


def _load_states(catalog: DataCatalog) -> dict[str, Any]:
    """Return the digests of earlier runs; none if the file is missing or damaged."""
    try:
        states = catalog.load(STATES)
    except DatasetError:
        return {}
    return states if isinstance(states, dict) else {}


def _digest_files(catalog: DataCatalog, node: Node) -> dict[str, str | None]:
    """Return the digest of each output of a node by file name; None for no file."""
    paths = [str(file_of(catalog.get(name))) for name in node.outputs]
    return {path.rpartition("/")[2]: file_digest(path) for path in paths}


def _can_be_skipped(node: Node) -> bool:
    return bool(getattr(node.func, "skips_unchanged", False))


def _digest_inputs(
    catalog: DataCatalog, inputs: Mapping[str, Any], known: Mapping[str, str]
) -> str:
    """Return a digest of the inputs of a node, and of the code of this package.

    Args:
        catalog: Datasets of the pipeline.
        inputs: The inputs, by dataset name.
        known: Fingerprints of intermediate results.
    """
    fingerprints = [_digest_code()]
    for name, value in inputs.items():
        dataset: Any = catalog.get(name)
        if name in known:
            fingerprint = known[name]
        elif hasattr(dataset, "fingerprint"):
            fingerprint = dataset.fingerprint()
        else:
            fingerprint = repr(value)
        fingerprints.append(f"{name} {fingerprint}")
    return hashlib.sha256("\n".join(fingerprints).encode()).hexdigest()


def _digest_code() -> str:
    digest = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
