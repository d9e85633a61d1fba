"""Write the page `report.html` after a run, and print its path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Pipeline

from fruits_pipeline.datasets import FittedClassifier, FittedPca
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.hooks.current import file_of
from fruits_pipeline.hooks.errors import raise_for_user
from fruits_pipeline.io.files import is_local, read_file
from fruits_pipeline.parameters import ReportParameters
from fruits_pipeline.printing import show
from fruits_pipeline.reporting.page.page import render_page
from fruits_pipeline.reporting.page.results import FILES, PICTURES, TABLES, Results

PAGE = "report_page"

STAGES = {"report", "classify"}
"""Tags of nodes whose results are on the page."""


class PageHooks:
    """Writes the page after all other hooks, so that it shows the complete summary."""

    @hook_impl(trylast=True)
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Write the page after a run of a stage that it shows.

        Raises:
            click.ClickException: The page cannot be written.
        """
        if any(STAGES & node.tags for node in pipeline.nodes):
            try:
                catalog.save(PAGE, render_page(load_results(catalog)))
            except (FruitsError, DatasetError) as exc:
                raise_for_user(exc)
            page: Any = catalog.get(PAGE)
            show([f"Report: {_printed(page.filepath)}"])


def load_results(catalog: DataCatalog) -> Results:
    """Load the results of this run and of earlier ones, as far as they exist."""
    photos: Any = catalog.get("photo_store")
    report = ReportParameters.model_validate(catalog.load("params:report"))
    values = {name: _load(catalog, name) for name in (*TABLES, *FILES, *PICTURES)}
    return Results(
        {name: value for name, value in values.items() if value is not None},
        photos.root,
        report.examples_shown,
        report.quality.model_dump(),
        catalog.load("params:classify.training_splits"),
        _is_outdated(catalog),
    )


def _load(catalog: DataCatalog, name: str) -> Any:
    """Return a result; None if its file is missing or damaged."""
    dataset: Any = catalog.get(name)
    try:
        if name in TABLES:
            return dataset.load()
        # Kedro's datasets of figures check each number, or cannot load.
        content = read_file(str(file_of(dataset)))
        return content if name in PICTURES else json.loads(content)
    except (DatasetError, OSError, ValueError):
        return None


def _is_outdated(catalog: DataCatalog) -> bool:
    """Return whether the classifier was trained with another PCA than that of the root."""
    pca, classifier = catalog.load("any_pca"), catalog.load("any_classifier")
    return (
        isinstance(pca, FittedPca)
        and isinstance(classifier, FittedClassifier)
        and classifier.pca != pca.model.digest
    )


def _printed(location: str) -> str:
    return str(Path(location).resolve()) if is_local(location) else location
