"""Time the stages of a run, and complete its summary."""

from __future__ import annotations

import logging
import time
from collections import defaultdict

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from fruits_pipeline.datasets import DeltaBatches

logger = logging.getLogger(__name__)


class SummaryHooks:
    """Times the stages of a run, and completes its summary."""

    def __init__(self) -> None:
        self.begin = 0.0
        self.seconds: dict[str, float] = defaultdict(float)
        self.tables: dict[str, DeltaBatches] = {}

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Start the clock, and note the tables that this run writes."""
        self.begin = time.monotonic()
        self.seconds.clear()
        outputs = map(catalog.get, pipeline.all_outputs())
        tables = (d for d in outputs if isinstance(d, DeltaBatches))
        self.tables = {dataset.table: dataset for dataset in tables}

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Count the time since the last node, by stage."""
        self._count(node)

    @hook_impl
    def after_dataset_saved(self, node: Node) -> None:
        """Count the time since the last save, by stage."""
        self._count(node)

    def _count(self, node: Node) -> None:
        now = time.monotonic()
        for stage in node.tags:
            self.seconds[stage] += now - self.begin
        self.begin = now

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Add to the summary what the run wrote and how long it took."""
        if "run_summary" not in pipeline.all_outputs() or not self.seconds:
            return
        seconds = {stage: round(s, 2) for stage, s in self.seconds.items()}
        new = self.tables["features"].photos_written if "features" in self.tables else 0
        written = {name: len(t.written) for name, t in self.tables.items()}
        speed = new / sum(self.seconds.values())
        summary = catalog.load("run_summary") | {
            "batches_written": written,
            "seconds": seconds,
            "photos_per_second": round(speed, 1),
        }
        catalog.save("run_summary", summary)
        logger.info("Run summary: %s", summary)
