"""A fitted PCA in one file, which NumPy opens without this project."""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import dataclass
from typing import Any
from zipfile import BadZipFile

import numpy as np

from fruits_pipeline.datasets.stored_file import StoredFile
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import write_whole
from fruits_pipeline.lineage import (
    ChangedLocation,
    ChangedRecipe,
    Lineage,
    Recipe,
    check_recipe,
    only_moved,
)
from fruits_pipeline.models.pca import Pca

DAMAGED = (
    ValueError,
    KeyError,
    EOFError,
    BadZipFile,
    RuntimeError,
    OSError,
    zlib.error,
)
"""What NumPy and zipfile raise for files that they cannot read."""

PCA_ARRAYS = ("mean", "scale", "components", "spectrum")


@dataclass(frozen=True)
class FittedPca:
    """A model and the batches that it was fitted to.

    Attributes:
        model: The model.
        batches: Names of the batches.
    """

    model: Pca
    batches: tuple[str, ...]


@dataclass(frozen=True)
class _Stored:
    fitted: FittedPca
    recipe: Recipe
    origin: list[str | None]


class PcaFile(StoredFile[FittedPca, FittedPca | None]):
    """A `.npz` with `mean`, `scale`, `components`, `spectrum`, `n`, and its lineage.

    Args:
        filepath: Path or URL of the file.
        changed_recipe: Whether to `refuse` another recipe, or `rebuild` the model.
        changed_location: Whether to `refuse` or `accept` another location of the photos.
        optional: Whether loading returns None where there is no model.
        metadata: For Kedro-Viz.
    """

    def __init__(  # noqa: PLR0913 - settings of one file
        self,
        *,
        filepath: str,
        changed_recipe: ChangedRecipe = "refuse",
        changed_location: ChangedLocation = "refuse",
        optional: bool = False,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        self.changed_recipe = changed_recipe
        self.changed_location = changed_location
        self.optional = optional
        self._loaded: str | None = None
        self.lineage: Lineage | None = None

    def identity(self) -> str | None:
        """Return the digest of the model that was loaded, else of the stored one."""
        return self._loaded or self.state()

    def state(self) -> str | None:
        """Return the digest of the stored model, None where there is none."""
        stored = self._stored()
        return stored.fitted.model.digest if stored else None

    def recipe(self) -> Recipe:
        """Return the recipe of the stored model."""
        stored = self._stored()
        return stored.recipe if stored else {}

    def check(self, lineage: Lineage) -> None:
        """Check, before a run computes anything, that its model may be written.

        Raises:
            FruitsError: The recipe changed, or the file is damaged.
        """
        if stored := self._stored():
            settings = (self.changed_recipe, self.changed_location)
            check_recipe(self.filepath, stored.recipe, lineage.recipe, *settings)

    def prepare(self, lineage: Lineage) -> None:
        """Prepare the file for a model of another lineage.

        Raises:
            FruitsError: As `check`.
        """
        self.check(lineage)
        self.lineage, self._loaded = lineage, None
        if not (stored := self._stored()):
            return
        if self.changed_location == "accept" and only_moved(
            stored.recipe, lineage.recipe
        ):
            self._write(_Stored(stored.fitted, lineage.recipe, stored.origin))

    def load(self) -> FittedPca | None:
        """Return the model; if `optional`, None for no model or one of another lineage.

        Raises:
            FruitsError: The file is damaged, or missing and not `optional`.
        """
        stored = self._stored()
        if self.optional and stored and self.lineage and not self._is_current(stored):
            return None
        if not stored:
            if self.optional:
                return None
            raise FruitsError(
                f"Found no PCA in {self.filepath}; expected one. Run the stages before "
                "this one first, with `kedro run` and the same `root`."
            )
        self._loaded = stored.fitted.model.digest
        return stored.fitted

    def save(self, data: FittedPca) -> None:
        """Write the model, unless it is stored already."""
        lineage = self.lineage or Lineage()
        new = _Stored(data, lineage.recipe, lineage.origin())
        old = self._stored()
        if not old or _key(old) != _key(new):
            self._write(new)
        self._loaded = None

    def _is_current(self, stored: _Stored) -> bool:
        lineage = self.lineage or Lineage()
        return (stored.recipe, stored.origin) == (lineage.recipe, lineage.origin())

    def _stored(self) -> _Stored | None:
        content = self.read()
        if content is None:
            return None
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                vectors = {name: arrays[name] for name in PCA_ARRAYS}
                model = Pca(n=int(arrays["n"]), **vectors)
                batches = tuple(arrays["batches"].tolist())
                made = json.loads(str(arrays["made"]))
        except DAMAGED as exc:
            raise FruitsError(
                f"Found {self.filepath} damaged ({exc}); expected a PCA that this "
                "project has written. Delete the file, and run again to fit it again."
            ) from exc
        return _Stored(FittedPca(model, batches), made["recipe"], made["origin"])

    def _write(self, stored: _Stored) -> None:
        model = stored.fitted.model
        arrays = {name: np.asarray(value) for name, value in vars(model).items()}
        arrays["batches"] = np.array(stored.fitted.batches)
        made = {"recipe": stored.recipe, "origin": stored.origin}
        arrays["made"] = np.array(json.dumps(made))
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        write_whole(self.filepath, buffer.getvalue())

    def _describe(self) -> dict[str, Any]:
        return super()._describe() | {"changed_recipe": self.changed_recipe}


def _key(stored: _Stored) -> tuple[object, ...]:
    fitted = stored.fitted
    return fitted.model.digest, fitted.batches, stored.recipe, stored.origin
