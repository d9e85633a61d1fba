"""What happens when a table or model is to be written by another recipe."""

from __future__ import annotations

from fruits_pipeline.errors import FruitsError
from fruits_pipeline.recipes import ChangedRecipe, Recipe, differences


def accept_change(
    place: str, old: Recipe, new: Recipe, changed_recipe: ChangedRecipe
) -> None:
    """Let a new recipe pass, if it is the same or may rebuild what is there.

    Args:
        place: Of the table or model.
        old: Recipe of what is there.
        new: Recipe of what is to be written.
        changed_recipe: The setting of that name.

    Raises:
        FruitsError: The recipes differ, and `changed_recipe` is `refuse`.
    """
    changes = differences(old, new)
    if changed_recipe == "rebuild" or not changes:
        return
    raise FruitsError(
        f"Found {place} made with other parameters:\n"
        + "".join(f"- {change}\n" for change in changes)
        + "Expected the same, so that one table holds one kind of rows. Put the old "
        "value back, choose another `root`, or make it and all that follows anew with "
        "--params changed_recipe=rebuild"
    )
