"""The dataset of a fitted classifier."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from kedro_datasets._typing import JSONPreview

from fruits_pipeline.datasets.arrays import load_arrays
from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.datasets.pca_content import VERSION
from fruits_pipeline.datasets.previews.results import preview_or_reason, text_json
from fruits_pipeline.datasets.previews.rows import json_preview
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import read_file, write_atomically
from fruits_pipeline.models.classifiers import Classifier
from fruits_pipeline.schema_version import SCHEMA_VERSION, check_version


@dataclass(frozen=True)
class FittedClassifier:
    """A classifier, and the PCA that computed its training vectors.

    Attributes:
        model: The classifier.
        pca: Digest of the PCA.
    """

    model: Classifier
    pca: str


class ClassifierFile(PathDataset[FittedClassifier, FittedClassifier]):
    """A `.npz` file with the arrays of a `Classifier`, and the digest of its PCA, `pca`."""

    def load(self) -> FittedClassifier:
        """Return the classifier.

        Raises:
            FruitsError: The file is missing or damaged, or a newer version of this
                project wrote it.
        """
        try:
            content = read_file(self.filepath)
        except FileNotFoundError as exc:
            raise FruitsError(
                f"Found no classifier in {self.filepath}; expected one. Train it with "
                "`kedro run --pipelines classify`, or set `root` to its folder."
            ) from exc
        try:
            return _parse(self.filepath, content)
        except FruitsError:
            raise
        except Exception as exc:  # NumPy and zipfile raise many types for damaged files
            raise FruitsError(
                f"Found {self.filepath} damaged ({exc}); expected a classifier that this "
                "project has written. Train it again with `kedro run --pipelines classify`."
            ) from exc

    def preview(self) -> JSONPreview:
        """Return shape, threshold and labels for Kedro-Viz."""
        command = "`kedro run --pipelines classify`"
        return preview_or_reason(self._summary, text_json, command)

    def _summary(self) -> JSONPreview:
        model = self.load().model
        components, labels = model.weights.shape
        shape = {"components": components, "labels": labels}
        threshold = {"threshold": round(model.threshold, 4)}
        return json_preview(shape | threshold | {"names": list(model.labels)})

    def save(self, data: FittedClassifier) -> None:
        """Write the classifier."""
        buffer = io.BytesIO()
        arrays = {name: np.asarray(value) for name, value in vars(data.model).items()}
        arrays |= {"pca": np.array(data.pca), VERSION: np.array(SCHEMA_VERSION)}
        np.savez(buffer, allow_pickle=False, **arrays)
        write_atomically(self.filepath, buffer.getvalue())


def _parse(path: str, content: bytes) -> FittedClassifier:
    with load_arrays(content) as arrays:
        check_version(path, arrays.get(VERSION))
        model = Classifier(
            labels=tuple(arrays["labels"].tolist()),
            weights=arrays["weights"],
            bias=arrays["bias"],
            threshold=float(arrays["threshold"]),
        )
        pca = str(arrays["pca"])
    labels = len(model.labels)
    if model.weights.shape[1:] != (labels,) or model.bias.shape != (labels,):
        raise ValueError(f"weights of shape {model.weights.shape} for {labels} labels")
    return FittedClassifier(model, pca)
