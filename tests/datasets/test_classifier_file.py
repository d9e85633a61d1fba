import io

import numpy as np
import pytest
from kedro.io.core import DatasetError

from fruits_pipeline.datasets import ClassifierFile, FittedClassifier
from fruits_pipeline.io.files import read_file, write_atomically
from fruits_pipeline.models.classifiers import Classifier


def test_saved_classifier_is_loaded(folder: str) -> None:
    path = f"{folder}/06_models/classifier.npz"
    weights = np.arange(6.0).reshape(3, 2)
    model = Classifier(("Kiwi", "Figue d'été"), weights, np.array([0.5, -0.5]), 0.61)
    dataset = ClassifierFile(filepath=path)
    assert not dataset.exists()
    dataset.save(FittedClassifier(model, "digest"))
    assert dataset.exists()
    loaded = ClassifierFile(filepath=path).load()
    assert (loaded.pca, loaded.model.labels) == ("digest", model.labels)
    assert loaded.model.threshold == 0.61
    np.testing.assert_array_equal(loaded.model.weights, weights)
    np.testing.assert_array_equal(loaded.model.bias, model.bias)


def test_odd_labels_are_loaded_unchanged(folder: str) -> None:
    labels = (
        "nan",
        "None",
        "01",
        " a ",
        "a\nb",
        "a\r",
        "\x85",
        "\u2028",
        "🍎",
        "x" * 300,
    )
    model = Classifier(labels, np.zeros((3, len(labels))), np.zeros(len(labels)))
    dataset = ClassifierFile(filepath=f"{folder}/classifier.npz")
    dataset.save(FittedClassifier(model, "digest"))
    assert dataset.load().model.labels == labels


def test_missing_classifier_is_an_error_with_the_command_to_run(folder: str) -> None:
    with pytest.raises(DatasetError, match="kedro run --pipelines classify"):
        ClassifierFile(filepath=f"{folder}/classifier.npz").load()


def test_classifier_of_a_newer_version_is_refused(folder: str) -> None:
    model = Classifier(("Kiwi",), np.zeros((3, 1)), np.zeros(1))
    path = f"{folder}/classifier.npz"
    ClassifierFile(filepath=path).save(FittedClassifier(model, "digest"))
    with np.load(io.BytesIO(read_file(path)), allow_pickle=False) as arrays:
        newer = {**arrays, "schema_version": np.array(99)}
    buffer = io.BytesIO()
    np.savez(buffer, **newer)
    write_atomically(path, buffer.getvalue())
    with pytest.raises(
        DatasetError, match=r"classifier\.npz of schema version 99, which"
    ):
        ClassifierFile(filepath=path).load()
