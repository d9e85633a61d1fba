"""The dataset of a fitted PCA."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import read_file, write_atomically
from fruits_pipeline.lineage import (
    ChangedLocation,
    ChangedRecipe,
    Lineage,
    Recipe,
    check_recipe,
    only_location_changed,
)
from fruits_pipeline.models.pca import Pca

PCA_ARRAYS = ("mean", "scale", "components", "spectrum")


@dataclass(frozen=True)
class FittedPca:
    """A PCA, and the batches that it was fitted to.

    Attributes:
        model: The PCA.
        batches: Names of the batches.
    """

    model: Pca
    batches: tuple[str, ...]


@dataclass(frozen=True)
class _StoredPca:
    """Content of the file: the PCA and its lineage."""

    fitted: FittedPca
    recipe: Recipe
    source_ids: list[str | None]

    def comparable(self) -> tuple[object, ...]:
        """Return the content without arrays, so that `==` can compare it."""
        fitted = self.fitted
        return fitted.model.digest, fitted.batches, self.recipe, self.source_ids


class PcaFile(PathDataset[FittedPca, FittedPca | None]):
    """A `.npz` file with `mean`, `scale`, `components`, `spectrum`, `n`, and lineage.

    Before a run, call `check` and then `prepare` with the lineage of the new PCA.

    Args:
        filepath: Path or URL of the file.
        changed_recipe: Whether to `refuse` another recipe, or `rebuild` the PCA.
        changed_location: Whether to `refuse` or `accept` another location of the photos.
        optional: Whether to load None if there is no file, instead of an error.
        metadata: Ignored; used by Kedro-Viz.

    Attributes:
        lineage: Lineage of the PCA that the run will save in this file, if any.
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
        self.lineage: Lineage | None = None
        self._loaded_digest: str | None = None

    def build_id(self) -> str | None:
        """Return the digest of the PCA that was loaded, else of the stored PCA."""
        return self._loaded_digest or self.fingerprint()

    def fingerprint(self) -> str | None:
        """Return the digest of the stored PCA; None if there is no file."""
        stored = self._read()
        return stored.fitted.model.digest if stored else None

    def recipe(self) -> Recipe:
        """Return the recipe of the stored PCA."""
        stored = self._read()
        return stored.recipe if stored else {}

    def check(self, lineage: Lineage) -> None:
        """Raise if a PCA of this lineage must not be saved. Changes nothing.

        Raises:
            FruitsError: The recipe changed, or the file is damaged.
        """
        if stored := self._read():
            check_recipe(
                self.filepath,
                stored.recipe,
                lineage.recipe,
                self.changed_recipe,
                self.changed_location,
            )

    def prepare(self, lineage: Lineage) -> None:
        """Set a lineage that `check` accepts, and apply `changed_location`."""
        self.lineage, self._loaded_digest = lineage, None
        stored = self._read() if self.changed_location == "accept" else None
        if stored and only_location_changed(stored.recipe, lineage.recipe):
            self._write(_StoredPca(stored.fitted, lineage.recipe, stored.source_ids))

    def load(self) -> FittedPca | None:
        """Return the PCA; None if `optional` and there is no file, or it will be rebuilt.

        Raises:
            FruitsError: The file is damaged, or missing and not `optional`.
        """
        stored = self._read()
        if stored is None and not self.optional:
            raise FruitsError(
                f"Found no PCA in {self.filepath}; expected one. Run the earlier stages "
                "first, with `kedro run` and the same `root`."
            )
        if stored is None or (self.optional and self._will_be_rebuilt(stored)):
            return None
        self._loaded_digest = stored.fitted.model.digest
        return stored.fitted

    def save(self, data: FittedPca) -> None:
        """Write PCA and lineage, unless the file already contains both."""
        lineage = self.lineage or Lineage()
        new = _StoredPca(data, lineage.recipe, lineage.source_ids())
        old = self._read()
        if old is None or old.comparable() != new.comparable():
            self._write(new)
        self._loaded_digest = None

    def _will_be_rebuilt(self, stored: _StoredPca) -> bool:
        if self.lineage is None:
            return False
        lineage = (self.lineage.recipe, self.lineage.source_ids())
        return lineage != (stored.recipe, stored.source_ids)

    def _read(self) -> _StoredPca | None:
        """Return the content of the file; None if it is missing."""
        try:
            content = read_file(self.filepath)
        except FileNotFoundError:
            return None
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                vectors = {name: arrays[name] for name in PCA_ARRAYS}
                model = Pca(n=int(arrays["n"]), **vectors)
                batches = tuple(arrays["batches"].tolist())
                lineage = json.loads(str(arrays["made"]))
        except Exception as exc:  # NumPy and zipfile raise many types for damaged files
            raise FruitsError(
                f"Found {self.filepath} damaged ({exc}); expected a PCA that this "
                "project has written. Delete the file, and run again to fit it again."
            ) from exc
        fitted = FittedPca(model, batches)
        return _StoredPca(fitted, lineage["recipe"], lineage["origin"])

    def _write(self, stored: _StoredPca) -> None:
        model = stored.fitted.model
        arrays = {name: np.asarray(value) for name, value in vars(model).items()}
        arrays["batches"] = np.array(stored.fitted.batches)
        lineage = {"recipe": stored.recipe, "origin": stored.source_ids}
        arrays["made"] = np.array(json.dumps(lineage))
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        write_atomically(self.filepath, buffer.getvalue())
