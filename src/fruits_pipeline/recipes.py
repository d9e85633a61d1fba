"""What shaped a table: every parameter and input on the way to it, by dotted name."""

from collections.abc import Mapping
from typing import Any, Literal

ChangedRecipe = Literal["refuse", "rebuild"]
"""What happens to a table that is to be written by another recipe."""

Recipe = dict[str, Any]
"""Dotted parameter name, as in `preprocess.short_side`, to its JSON value."""


def extend(recipe: Recipe, stage: str, values: Mapping[str, Any]) -> Recipe:
    """Return the recipe of what `stage` makes of a table that has `recipe`.

    Args:
        recipe: Of the table that the stage reads.
        stage: First part of the new names.
        values: The stage's parameters that shape its rows, JSON values.
    """
    return recipe | {f"{stage}.{name}": value for name, value in values.items()}


def differences(old: Recipe, new: Recipe) -> list[str]:
    """Say in words how two recipes differ, one line a parameter, sorted by name."""
    absent = "not set"
    return [
        f"{name} was {old.get(name, absent)!r}, is {new.get(name, absent)!r}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name, absent) != new.get(name, absent)
    ]
