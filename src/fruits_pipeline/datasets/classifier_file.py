"""The dataset of a fitted classifier."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from fruits_pipeline.datasets.path_dataset import PathDataset
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import read_file, write_atomically
from fruits_pipeline.models.classifiers import Classifier


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
            FruitsError: The file is missing.
        """
        try:
            content = read_file(self.filepath)
        except FileNotFoundError as exc:
            raise FruitsError(
                f"Found no classifier in {self.filepath}; expected one. Train it with "
                "`kedro run --pipelines classify`, or set `root` to its folder."
            ) from exc
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            model = Classifier(
                labels=tuple(arrays["labels"].tolist()),
                weights=arrays["weights"],
                bias=arrays["bias"],
                threshold=float(arrays["threshold"]),
            )
            return FittedClassifier(model, str(arrays["pca"]))

    def save(self, data: FittedClassifier) -> None:
        """Write the classifier."""
        buffer = io.BytesIO()
        arrays = {name: np.asarray(value) for name, value in vars(data.model).items()}
        np.savez(buffer, allow_pickle=False, pca=np.array(data.pca), **arrays)
        write_atomically(self.filepath, buffer.getvalue())
