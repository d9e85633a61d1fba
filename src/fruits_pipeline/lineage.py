"""Lineage: every parameter and model that shaped the rows of a table.

A recipe is what the user chose: parameters, the backbone, the location of the photos.
Another recipe is refused, or rebuilds the table. Sources are what the rows were computed
from: the identity of the table upstream, the digest of the fitted PCA. Nobody chooses
them, so other sources rebuild the table without asking.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal, Protocol

from fruits_pipeline.errors import FruitsError

Recipe = dict[str, Any]
"""Dotted parameter name, as in `preprocess.short_side`, to its JSON value."""

ChangedRecipe = Literal["refuse", "rebuild"]
"""What happens to a table whose recipe changed."""

ChangedLocation = Literal["refuse", "accept"]
"""What happens to a table whose photos are read from another location."""

DamagedBatches = Literal["refuse", "recompute"]
"""What happens to batches whose files are missing or damaged."""

LOCATION = "photos"
"""Recipe entry of the photo store."""


class Source(Protocol):
    """A dataset that rows are computed from."""

    def identity(self) -> str | None:
        """Return what changes when the source is rebuilt; None if it does not exist."""


@dataclass(frozen=True)
class Lineage:
    """Lineage of a dataset.

    Attributes:
        recipe: What the user chose.
        sources: What the rows are computed from.
    """

    recipe: Recipe = field(default_factory=dict)
    sources: tuple[Source, ...] = ()

    def origin(self) -> list[str | None]:
        """Return the identities of the sources."""
        return [source.identity() for source in self.sources]


def differences(old: Recipe, new: Recipe) -> list[str]:
    """Return one line for each parameter that differs, sorted by name."""
    absent = "not set"
    return [
        f"{name} was {old.get(name, absent)!r}, is {new.get(name, absent)!r}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name, absent) != new.get(name, absent)
    ]


def check_recipe(
    place: str,
    old: Recipe,
    new: Recipe,
    changed_recipe: ChangedRecipe,
    changed_location: ChangedLocation,
) -> None:
    """Raise if the recipe changed and the settings do not allow it.

    Args:
        place: Path or URL of the table or model.
        old: Recipe of what is stored.
        new: Recipe of this run.
        changed_recipe: Setting of that name.
        changed_location: Setting of that name.

    Raises:
        FruitsError: The recipe changed and `changed_recipe` is `refuse`, or the location
            of the photos changed and `changed_location` is `refuse`.
    """
    changes = differences(old, new)
    if not changes or changed_recipe == "rebuild":
        return
    if only_moved(old, new):
        if changed_location == "accept":
            return
        raise FruitsError(
            f"Found {place} made from photos in {old.get(LOCATION)}; expected the same "
            f"location, and not {new[LOCATION]}, so that one root holds one collection "
            "(folders are relative to `root`). "
            "Choose another `root`; or, if the same photos have moved there, accept it "
            "with --params changed_location=accept"
        )
    raise FruitsError(
        f"Found {place} made with other parameters:\n"
        + "".join(f"- {change}\n" for change in changes)
        + "Expected the same, so that one table holds one kind of rows. Put the old "
        "value back, choose another `root`, or rebuild it and all that follows with "
        "--params changed_recipe=rebuild"
    )


def only_moved(old: Recipe, new: Recipe) -> bool:
    """Return whether two recipes differ in the location of the photos only."""
    return old != new and old | {LOCATION: None} == new | {LOCATION: None}


class _Unchanged:
    """Type of `UNCHANGED`."""


UNCHANGED = _Unchanged()
"""Input of a node whose inputs are those of the last run; see `hooks.ReportHooks`."""


def when_changed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a node function that saves nothing if its inputs are unchanged."""

    @wraps(function)
    def node(*inputs: Any) -> Any:
        if not any(value is UNCHANGED for value in inputs):
            yield function(*inputs)

    node.skips_unchanged = True  # type: ignore[attr-defined]
    return node
