from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import ClassifierFile, FittedClassifier
from fruits_pipeline.models.classifiers import Classifier


@pytest.fixture(params=["local", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    root = f"memory://{uuid4().hex}" if request.param == "memory" else str(tmp_path)
    return f"{root}/06_models/classifier.npz"


def test_what_is_saved_is_loaded(place: str) -> None:
    weights = np.arange(6.0).reshape(3, 2)
    model = Classifier(("Kiwi", "Figue d'été"), weights, np.array([0.5, -0.5]), 0.61)
    file = ClassifierFile(filepath=place)
    assert not file.exists()
    file.save(FittedClassifier(model, "digest"))
    assert file.exists()
    loaded = ClassifierFile(filepath=place).load()
    assert (loaded.pca, loaded.model.labels) == ("digest", model.labels)
    assert loaded.model.threshold == 0.61
    np.testing.assert_array_equal(loaded.model.weights, weights)
    np.testing.assert_array_equal(loaded.model.bias, model.bias)


def test_no_classifier_is_answered_in_words(place: str) -> None:
    with pytest.raises(DatasetError, match="kedro run --pipelines classify"):
        ClassifierFile(filepath=place).load()
