"""Train a network, and resume interrupted trainings. Importing it requires TensorFlow.

`Model.fit` is not used because weights, optimiser and history of an epoch must be stored
together: a resumed training gives the same results as an uninterrupted one.
"""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path

import keras
import numpy as np

from fruits_pipeline.io.files import write_atomically
from fruits_pipeline.models.classifiers import (
    LabelledVectors,
    fit_logistic_regression,
    sample_rows,
)
from fruits_pipeline.parameters import TrainingParameters
from fruits_pipeline.training.data import TrainingBatches, TrainingPhotos
from fruits_pipeline.training.networks import embed
from fruits_pipeline.training.objective import compile_model

logger = logging.getLogger(__name__)

PROBE_PHOTOS_PER_LABEL = 80

PROBE_RELATIVE_C = 3.0
"""Inverse regularisation strength; see `classifiers.fit_logistic_regression`."""

HISTORY_FILE = "history.json"

History = list[dict[str, float]]
"""Losses and accuracy of each epoch: means over its steps."""


def train(
    network: keras.Model,
    photos: TrainingPhotos,
    parameters: TrainingParameters,
    seed: int,
    folder: Path,
) -> History:
    """Train the trainable layers of a network in place.

    Args:
        network: Network from pixels, 0 to 255, to features.
        photos: Photos of at least two labels.
        parameters: Parameters of the training.
        seed: Seed of sampling and augmentation.
        folder: Folder for the state after each epoch. If it contains a state, the training
            is resumed.

    Returns:
        Losses and accuracy of each epoch, also of those before the training was resumed.
    """
    model = compile_model(network, photos, parameters)
    history = _restore(model, folder)
    if not history:
        model.get_layer("label").set_weights(_linear_probe(network, photos, seed))
    batches = TrainingBatches(photos, parameters, network.input_shape[1], seed)
    first, started = len(history), time.monotonic()
    for epoch in range(first, parameters.epochs):
        history.append(_train_epoch(model, batches, epoch))
        _save(model, history, folder)
        seconds = (time.monotonic() - started) / (epoch + 1 - first)
        _log_progress(history, parameters, seconds)
    # Replaces the weights by their moving average.
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return history


def _train_epoch(
    model: keras.Model, batches: TrainingBatches, epoch: int
) -> dict[str, float]:
    """Train one epoch, and return the means of the losses and of the accuracy."""
    logs = [
        model.train_on_batch(pixels, targets, return_dict=True)
        for pixels, targets in batches.iterate(epoch)
    ]
    return {name: float(np.mean([log[name] for log in logs])) for name in logs[0]}


def _log_progress(
    history: History, parameters: TrainingParameters, seconds: float
) -> None:
    """Log the last epoch, given the mean duration of an epoch in seconds."""
    logger.info(
        "Epoch %d of %d: %s; %.0f photos/s, %.0f min left",
        len(history),
        parameters.epochs,
        ", ".join(f"{name} {value:.3f}" for name, value in history[-1].items()),
        parameters.steps * parameters.photos_per_step / seconds,
        (parameters.epochs - len(history)) * seconds / 60,
    )


def _linear_probe(
    network: keras.Model, photos: TrainingPhotos, seed: int
) -> list[np.ndarray]:
    """Return kernel and bias of a logistic regression of the pretrained features.

    Fine-tuning with a random label layer would distort the features (Kumar et al.:
    Fine-Tuning Can Distort Pretrained Features and Underperform Out-of-Distribution,
    2022).
    """
    labels = np.array(photos.labels)
    rows = sample_rows(labels, PROBE_PHOTOS_PER_LABEL, seed)
    features = embed(network, [photos.images[row] for row in rows])
    probed = LabelledVectors(features, labels[rows], groups=rows)
    probe = fit_logistic_regression(probed, PROBE_RELATIVE_C)
    return [probe.weights, probe.bias]


def _state_file(folder: Path, epochs: int) -> Path:
    return folder / f"epoch-{epochs:04}.weights.h5"


def _save(model: keras.Model, history: History, folder: Path) -> None:
    """Store the state after an epoch, then delete the previous one."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_weights(_state_file(folder, len(history)))
    write_atomically(str(folder / HISTORY_FILE), json.dumps(history).encode())
    _state_file(folder, len(history) - 1).unlink(missing_ok=True)


def _restore(model: keras.Model, folder: Path) -> History:
    """Load the stored state into a model; return the history, [] if there is no state."""
    if not (folder / HISTORY_FILE).exists():
        return []
    history: History = json.loads((folder / HISTORY_FILE).read_text())
    # `load_weights` skips the optimiser if it has no variables yet.
    model.optimizer.build(model.trainable_variables)
    model.load_weights(_state_file(folder, len(history)))
    logger.info("Resuming the training after epoch %d", len(history))
    return history
