"""A fitted PCA in one file, which NumPy opens and nothing else is needed for."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from fruits_pipeline.datasets.changes import accept_change
from fruits_pipeline.datasets.stored_file import StoredFile
from fruits_pipeline.files import write_whole
from fruits_pipeline.pca import Pca
from fruits_pipeline.recipes import ChangedRecipe, Recipe

PCA_ARRAYS = ("mean", "scale", "components", "spectrum")


@dataclass(frozen=True)
class FittedPca:
    """A model and how it came to be.

    Attributes:
        model: The model.
        batches: Names of the batches that it was fitted to.
        recipe: What shaped it.
        origin: Of the moments that it was fitted to.
    """

    model: Pca
    batches: tuple[str, ...]
    recipe: Recipe
    origin: str | None = None


class PcaFile(StoredFile[FittedPca, FittedPca | None]):
    """A `.npz` with `mean`, `scale`, `components`, `spectrum`, `n`, and its origin.

    Args:
        filepath: File or URL.
        changed_recipe: What to do with another recipe: `refuse` it, or `rebuild`.
        metadata: For Kedro-Viz.
    """

    def __init__(
        self,
        *,
        filepath: str,
        changed_recipe: ChangedRecipe = "refuse",
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        self.changed_recipe = changed_recipe

    def load(self) -> FittedPca | None:
        """Return the model, or None where there is none yet."""
        content = self.read()
        if content is None:
            return None
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            vectors = {name: arrays[name] for name in PCA_ARRAYS}
            model = Pca(n=int(arrays["n"]), **vectors)
            batches = tuple(arrays["batches"].tolist())
            made = json.loads(str(arrays["made"]))
            return FittedPca(model, batches, made["recipe"], made["origin"])

    def save(self, data: FittedPca) -> None:
        """Write the model, unless it is there.

        Raises:
            FruitsError: A model of another recipe is there and to be kept.
        """
        held = self.load()
        if held:
            accept_change(self.filepath, held.recipe, data.recipe, self.changed_recipe)
            if _origin(held) == _origin(data):
                return
        buffer = io.BytesIO()
        arrays = {name: np.asarray(value) for name, value in vars(data.model).items()}
        arrays["batches"] = np.array(data.batches)
        made = {"recipe": data.recipe, "origin": data.origin}
        arrays["made"] = np.array(json.dumps(made))
        np.savez(buffer, allow_pickle=False, **arrays)
        write_whole(self.filepath, buffer.getvalue())

    def _describe(self) -> dict[str, Any]:
        return super()._describe() | {"changed_recipe": self.changed_recipe}


def _origin(fitted: FittedPca) -> tuple[object, ...]:
    return fitted.model.digest, fitted.batches, fitted.recipe, fitted.origin
