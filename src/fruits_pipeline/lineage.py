"""Lineage: the parameters, models and tables that determine the content of a dataset.

The recipe contains the choices of the user: parameters, backbone, and photo root. If it
changed, the table is rebuilt only on request (`changed_recipe`). The sources are the
datasets that rows were computed from: the upstream table and the fitted PCA. If a source
was rebuilt, the table is rebuilt too, without a request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final, Literal, Protocol

from fruits_pipeline.errors import FruitsError

Recipe = dict[str, Any]
"""JSON values by dotted parameter name, such as `preprocess.short_side`."""

ChangedRecipe = Literal["refuse", "rebuild"]
"""Setting: how to treat a table or model whose recipe changed."""

ChangedLocation = Literal["refuse", "accept"]
"""Setting: how to treat a table or model if the photo root changed."""

RemovedContent = Literal["keep", "read"]
"""Setting: what to do with photos whose content was removed; see `retention`."""

LOCATION = "photos"
"""Key of the location of the photo root in a recipe."""


class Source(Protocol):
    """A dataset that rows are computed from."""

    def build_id(self) -> str | None:
        """Return an id that changes if the dataset is rebuilt; None if it is missing."""

    def check_current(self) -> None:
        """Raise a `FruitsError` if the dataset was rebuilt since this run loaded it."""


@dataclass(frozen=True)
class Lineage:
    """Lineage of a dataset.

    Attributes:
        recipe: The choices of the user.
        sources: The datasets that the rows are computed from.
    """

    recipe: Recipe = field(default_factory=dict)
    sources: tuple[Source, ...] = ()

    def source_ids(self) -> list[str | None]:
        """Return the build ids of the sources."""
        return [source.build_id() for source in self.sources]

    def check_sources(self) -> None:
        """Raise if another run has rebuilt a source since this run loaded it.

        Raises:
            FruitsError: A source was rebuilt.
        """
        for source in self.sources:
            source.check_current()


def recipe_changes(old: Recipe, new: Recipe) -> list[str]:
    """Return one line for each parameter that differs, sorted by name."""
    absent = "not set"
    return [
        f"{name} was {old.get(name, absent)!r}, is {new.get(name, absent)!r}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name, absent) != new.get(name, absent)
    ]


def check_recipe(
    path: str,
    old: Recipe,
    new: Recipe,
    changed_recipe: ChangedRecipe,
    changed_location: ChangedLocation,
) -> None:
    """Raise if the recipe changed and the settings do not allow it.

    Args:
        path: Path or URL of the table or model.
        old: Recipe of the stored table or model.
        new: Recipe of this run.
        changed_recipe: Value of the setting.
        changed_location: Value of the setting.

    Raises:
        FruitsError: The recipe changed and `changed_recipe` is `refuse`; or only the
            photo root changed, and `changed_location` is also `refuse`.
    """
    changes = recipe_changes(old, new)
    if not changes or changed_recipe == "rebuild":
        return
    if only_location_changed(old, new):
        if changed_location == "accept":
            return
        raise FruitsError(
            f"Found {path} made from photos in {old.get(LOCATION)}; expected the same "
            f"location, but `photos` is {new[LOCATION]} now. One root contains the tables "
            "of one photo collection (folders are relative to `root`). Choose another "
            "`root`; or, if the same photos were moved, accept the new location with "
            "--params changed_location=accept"
        )
    raise FruitsError(
        f"Found {path} made with other parameters:\n"
        + "".join(f"- {change}\n" for change in changes)
        + "Expected the same parameters for all rows. Restore the old value, choose "
        "another `root`, or rebuild it and everything computed from it with --params "
        "changed_recipe=rebuild"
    )


def only_location_changed(old: Recipe, new: Recipe) -> bool:
    """Return whether two recipes differ in nothing but the photo root."""
    return old != new and old | {LOCATION: None} == new | {LOCATION: None}


UNCHANGED: Final = object()
"""Replaces the inputs of a node if none of them changed; see `hooks.report`."""


def skip_if_unchanged(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a node function that saves no output if its inputs are `UNCHANGED`."""

    @wraps(function)
    def node(*inputs: Any, **named: Any) -> Any:
        if not any(value is UNCHANGED for value in (*inputs, *named.values())):
            yield function(*inputs, **named)

    node.skips_unchanged = True  # type: ignore[attr-defined]
    return node
