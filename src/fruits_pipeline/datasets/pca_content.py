"""Content of the file of a PCA."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from fruits_pipeline.datasets.arrays import load_arrays
from fruits_pipeline.errors import REPAIR, FruitsError
from fruits_pipeline.lineage import Recipe
from fruits_pipeline.models.pca import Pca
from fruits_pipeline.schema_version import SCHEMA_VERSION, check_version

PCA_ARRAYS = ("mean", "scale", "components", "spectrum")

VERSION = "schema_version"
"""Name of the array with the version, also in the file of the classifier."""


@dataclass(frozen=True)
class FittedPca:
    """A PCA, and the batches that it was fitted to.

    Attributes:
        model: The PCA.
        batches: Names of the batches.
    """

    model: Pca
    batches: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """Return shape and explained variance, for people."""
        components, features = self.model.components.shape
        explained = np.cumsum(self.model.ratios)
        return {
            "features": features,
            "components": components,
            "photos": self.model.n,
            "batches": len(self.batches),
            "explained_variance": round(self.model.explained, 4),
            "explained_by_first": {
                str(k): round(float(explained[k - 1]), 4)
                for k in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
                if k <= components
            },
        }


@dataclass(frozen=True)
class StoredPca:
    """A fitted PCA, and its lineage.

    Attributes:
        fitted: The PCA.
        recipe: Recipe of the PCA.
        source_ids: Build ids of its sources.
    """

    fitted: FittedPca
    recipe: Recipe
    source_ids: list[str | None]

    def comparable(self) -> tuple[object, ...]:
        """Return the content without arrays, so that `==` can compare it."""
        fitted = self.fitted
        return fitted.model.digest, fitted.batches, self.recipe, self.source_ids


def decode_pca(path: str, content: bytes) -> StoredPca:
    """Return the content of a file.

    Args:
        path: Path or URL of the file, for messages.
        content: Its bytes.

    Raises:
        FruitsError: The file is damaged, or a newer version of this project wrote it.
    """
    try:
        with load_arrays(content) as arrays:
            check_version(path, arrays.get(VERSION))
            return _from_arrays(arrays)
    except FruitsError:
        raise
    except Exception as exc:  # NumPy and zipfile raise many types for damaged files
        raise FruitsError(
            f"Found {path} damaged ({exc}); expected a PCA that this project has written. "
            f"{REPAIR}"
        ) from exc


def _from_arrays(arrays: Any) -> StoredPca:
    vectors = {name: arrays[name] for name in PCA_ARRAYS}
    model = Pca(n=int(arrays["n"]), **vectors)
    batches = tuple(arrays["batches"].tolist())
    lineage = json.loads(str(arrays["made"]))
    if problem := model.problem():
        raise ValueError(problem)
    return StoredPca(FittedPca(model, batches), lineage["recipe"], lineage["origin"])


def encode_pca(stored: StoredPca) -> bytes:
    """Return the content of the file of a PCA."""
    model = stored.fitted.model
    arrays = {name: np.asarray(value) for name, value in vars(model).items()}
    arrays["batches"] = np.array(stored.fitted.batches)
    lineage = {"recipe": stored.recipe, "origin": stored.source_ids}
    arrays["made"] = np.array(json.dumps(lineage))
    arrays[VERSION] = np.array(SCHEMA_VERSION)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
