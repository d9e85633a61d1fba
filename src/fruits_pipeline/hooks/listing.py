"""Complete the counts of the listing after photos were ingested."""

from __future__ import annotations

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from fruits_pipeline.datasets import DeltaBatches

COUNTS, PHOTOS = "listing_counts", "photos@batches"
"""Catalog entries."""


class ListingHooks:
    """Adds the numbers of moved and deleted photos to the counts of the listing.

    Which photos were moved is known only when the files at new paths have been read.
    """

    def __init__(self) -> None:
        self.catalog: DataCatalog | None = None

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Remember the catalog, if the run counts the files of a listing."""
        self.catalog = catalog if COUNTS in pipeline.all_outputs() else None

    @hook_impl
    def after_dataset_saved(self, dataset_name: str) -> None:
        """Add the counts when the table `photos` is complete."""
        if dataset_name != PHOTOS or self.catalog is None:
            return
        table, counts = self.catalog.get(PHOTOS), self.catalog.load(COUNTS)
        if isinstance(table, DeltaBatches):
            removed = table.saved.removed
            kept = {"gone": counts["gone"] - sum(removed)}
            self.catalog.save(COUNTS, counts | kept | removed._asdict())
