"""A classifier in one file, which NumPy opens and nothing else is needed for."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from fruits_pipeline.datasets.stored_file import StoredFile
from fruits_pipeline.errors import FruitsError
from fruits_pipeline.io.files import write_whole
from fruits_pipeline.models.classifiers import Classifier


@dataclass(frozen=True)
class FittedClassifier:
    """A classifier and what its vectors were made with.

    Attributes:
        model: The classifier.
        pca: Digest of the PCA.
    """

    model: Classifier
    pca: str


class ClassifierFile(StoredFile[FittedClassifier, FittedClassifier]):
    """A `.npz` with `labels`, `weights`, `bias`, `threshold`, and `pca`, a digest.

    Args:
        filepath: File or URL.
        metadata: For Kedro-Viz.
    """

    def load(self) -> FittedClassifier:
        """Return the classifier.

        Raises:
            FruitsError: There is none.
        """
        content = self.read()
        if content is None:
            raise FruitsError(
                f"Found no classifier in {self.filepath}; expected one. Learn it with "
                "`kedro run --pipelines classify`, or set `root` to where it is."
            )
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
        write_whole(self.filepath, buffer.getvalue())
