"""Check and apply a change of the recipe of a Delta table before a run."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from fruits_pipeline.datasets.delta.log import DeltaLog
from fruits_pipeline.datasets.delta.retention import check_content
from fruits_pipeline.datasets.delta.upgrade import upgrade_table
from fruits_pipeline.lineage import (
    ChangedLocation,
    ChangedRecipe,
    Lineage,
    RemovedContent,
    check_recipe,
    only_location_changed,
)
from fruits_pipeline.schema_version import complete_recipe


@dataclass(frozen=True)
class RecipeSettings:
    """What a run does with a table that has another recipe.

    Attributes:
        changed_recipe: Whether to `refuse` another recipe, or `rebuild` the table.
        changed_location: Whether to `refuse` or `accept` another location of the photos.
        removed_content: Whether the run will `read` photos again whose content was removed.
    """

    changed_recipe: ChangedRecipe
    changed_location: ChangedLocation
    removed_content: RemovedContent

    def check(
        self, log: DeltaLog, table: str, lineage: Lineage, upstream: DeltaLog | None
    ) -> bool:
        """Return whether the run rebuilds a table.

        Args:
            log: Newest version of the table.
            table: Name of the table.
            lineage: Lineage of the new rows.
            upstream: Newest version of its upstream table, if any.

        Raises:
            FruitsError: The recipe changed and may not, or the content that the table is
                computed from was removed.
        """
        recipe = complete_recipe(log.recipe, lineage.recipe)
        new = lineage.recipe
        check_recipe(
            log.location, recipe, new, self.changed_recipe, self.changed_location
        )
        is_rebuilt = self.changed_recipe == "rebuild" and recipe != new
        if is_rebuilt and self.removed_content == "keep" and upstream:
            _check_upstream_content(upstream, table, lineage)
        return is_rebuilt


def _check_upstream_content(upstream: DeltaLog, table: str, lineage: Lineage) -> None:
    """Raise if content was removed from an upstream table that is not rebuilt itself."""
    recipe = complete_recipe(upstream.recipe, lineage.recipe)
    if all(lineage.recipe.get(name) == value for name, value in recipe.items()):
        check_content(upstream, table, upstream.batches)


def upgrade_recipe(
    log: DeltaLog, schema: pa.Schema, lineage: Lineage, accepts_location: bool
) -> None:
    """Add what a table of an older version lacks, and an accepted location of the photos.

    Args:
        log: Newest version of the table.
        schema: Schema of its files.
        lineage: Lineage of the new rows.
        accepts_location: Whether `changed_location` is `accept`.
    """
    new = lineage.recipe
    recipe = complete_recipe(log.recipe, new)
    is_accepted = accepts_location and only_location_changed(recipe, new)
    upgrade_table(log, schema, new if is_accepted else recipe)
