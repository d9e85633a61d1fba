"""Measure the time of each stage, and complete the run summary."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from fruits_pipeline.datasets import DeltaBatches
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.hooks.accounts import check_accounts
from fruits_pipeline.hooks.errors import raise_for_user
from fruits_pipeline.hooks.history import (
    classifier_lines,
    record_run,
    summary_lines,
)
from fruits_pipeline.hooks.meter import Meter
from fruits_pipeline.hooks.runs import given_parameters
from fruits_pipeline.printing import show
from fruits_pipeline.run_id import run_id


class SummaryHooks:
    """Measures the time of each stage, and adds it to the run summary."""

    def __init__(self) -> None:
        self.last_event = 0.0
        self.seconds: dict[str, float] = defaultdict(float)
        self.tables: dict[str, DeltaBatches] = {}
        self.parameters: dict[str, Any] = {}
        self.meter = Meter()

    @hook_impl
    def after_context_created(self) -> None:
        """Measure what the run uses, checks before it included."""
        self.meter = Meter()

    @hook_impl(trylast=True)
    def before_pipeline_run(
        self, run_params: Mapping[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Start the clock when Spark has started, and find the tables that this run writes."""
        self.parameters = given_parameters(run_params)
        self.last_event = time.monotonic()
        self.seconds.clear()
        outputs = map(catalog.get, pipeline.all_outputs())
        tables = (d for d in outputs if isinstance(d, DeltaBatches))
        self.tables = {dataset.table: dataset for dataset in tables}

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Add the time since the last event to the stage of the node."""
        self._add_time(node)

    @hook_impl
    def after_dataset_saved(self, node: Node) -> None:
        """Add the time since the last event to the stage of the node."""
        self._add_time(node)

    def _add_time(self, node: Node) -> None:
        now = time.monotonic()
        for stage in node.tags:
            self.seconds[stage] += now - self.last_event
        self.last_event = now

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Add batches and speed to the summary, if it was saved, and check all tables.

        Raises:
            click.ClickException: Photos are missing in a table.
        """
        run = self._numbers()
        has_summary = "run_summary" in pipeline.all_outputs() and bool(self.seconds)
        newest = record_run(catalog, run) if self.tables or has_summary else None
        if has_summary:
            self._complete_summary(catalog, run, newest)
        show(classifier_lines(catalog, pipeline.all_outputs()))
        try:
            check_accounts(self.tables.values())
        except FruitsError as exc:
            raise_for_user(self._cause_of(exc))

    def _numbers(self) -> dict[str, Any]:
        """Return id, parameters, counts, times, speed and cost of the run."""
        features = self.tables.get("features")
        photos = features.saved.photos if features else 0
        total = sum(self.seconds.values())
        return {
            "run_id": run_id(),
            "parameters": self.parameters,
            "new_photos": photos,
            "batches_written": {
                n: len(t.saved.batches) for n, t in self.tables.items()
            },
            "seconds": {stage: round(s, 2) for stage, s in self.seconds.items()},
            "photos_per_second": round(photos / total, 1) if total else 0.0,
            "cost": self.meter.cost(),
        }

    def _complete_summary(
        self, catalog: DataCatalog, run: dict[str, Any], newest: dict[str, Any] | None
    ) -> None:
        retries = self.tables["photos"].saved.retries if "photos" in self.tables else 0
        removed = catalog.load("content_retention")["photos"]
        summary = catalog.load("run_summary") | run
        summary |= {"retries": retries, "without_content": removed}
        if newest and not run["new_photos"]:
            summary["last_run_with_new_photos"] = newest
        catalog.save("run_summary", summary)
        show(summary_lines(catalog, summary))
        if {"photos", "images", "features"} <= self.tables.keys():
            try:
                check_counts(summary)
            except FruitsError as exc:
                raise_for_user(self._cause_of(exc))

    def _cause_of(self, difference: FruitsError) -> FruitsError:
        """Return why tables differ: another run changes them, or the given error."""
        try:
            for table in self.tables.values():
                table.check_unchanged()
        except FruitsError as exc:
            return exc
        return difference


def check_counts(summary: Mapping[str, Any]) -> None:
    """Check that every listed file is accounted for, in the summary of a complete run.

    Raises:
        FruitsError: Two numbers that must be equal differ.
    """
    left_out = sum(summary["left_out"].values())
    equations = [
        ("files", "photos_listed + left_out", summary["photos_listed"] + left_out),
        ("photos", "photos_listed + gone", summary["photos_listed"] + summary["gone"]),
        ("photos", "features + rejected", summary["features"] + summary["rejected"]),
    ]
    wrong = [
        f"{name} = {summary[name]}, {text} = {total}"
        for name, text, total in equations
        if summary[name] != total
    ]
    if wrong:
        raise FruitsError(
            f"Found counts that differ: {'; '.join(wrong)}; expected equal counts, because "
            "every file is a photo or left out, and every photo has features or an error. "
            "Run again; if they still differ, rebuild the tables in another `root`, and "
            "report the run summary as a bug."
        )
