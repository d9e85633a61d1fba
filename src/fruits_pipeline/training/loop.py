"""Train a network on labelled photos, with Keras: batch by batch, from where it was.

Every batch is a function of the seed and its number, so a training that was stopped goes
on as if it had not been. TensorFlow is needed to import this module.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from fruits_pipeline.io.files import write_whole
from fruits_pipeline.models.classifiers import Labelled, regress, sample
from fruits_pipeline.parameters import TrainingParameters
from fruits_pipeline.training.data import (
    ALIKE,
    COPIED,
    TrainingBatches,
    TrainingPhotos,
)
from fruits_pipeline.training.networks import features_of

logger = logging.getLogger(__name__)

AVERAGED = 1 / 6
"""Share of the steps that the moving average of the weights, which is what is kept,
reaches back."""

WEIGHT_DECAY = 1e-4
WARM_UP = 0.05
"""Share of the steps over which the learning rate rises."""

ALIKENESS = 0.16
"""Weight of the loss on how alike photos are, a sum over a batch, relative to that on what
is seen in each."""

PROBED, PROBE_STRENGTH = 80, 3.0
"""Photos of a label that the head for labels begins with, and their regularisation."""

HISTORY = "history.json"

History = list[dict[str, float]]
"""Loss and accuracy of every epoch, the means of its steps."""


def train(
    network: keras.Model,
    photos: TrainingPhotos,
    parameters: TrainingParameters,
    seed: int,
    folder: Path,
) -> History:
    """Train a network to tell labels apart, and to see what a teacher sees.

    Args:
        network: From pixels of 0 to 255 to features; what is not trainable stays.
        photos: Of two labels at least.
        parameters: Of the training.
        seed: Of everything random.
        folder: Where the state is kept after every epoch, and found again.

    Returns:
        How it went, epoch by epoch; the network is trained.
    """
    model = _compiled(network, photos, parameters)
    history = _resume(model, folder)
    if not history:
        model.get_layer("label").set_weights(_probe(network, photos, seed))
    batches = TrainingBatches(photos, parameters, network.input_shape[1], seed)
    begin, done = time.monotonic(), len(history)
    for epoch in range(done, parameters.epochs):
        steps = batches.of_epoch(epoch)
        logs = [model.train_on_batch(*batch, return_dict=True) for batch in steps]
        history.append({name: _mean(logs, name) for name in logs[0]})
        _keep(model, history, folder)
        seconds = (time.monotonic() - begin) / (epoch + 1 - done)
        logger.info(
            "Epoch %d of %d: %s; %.0f photos/s, %.0f min left",
            *(epoch + 1, parameters.epochs, _in_words(history[-1])),
            parameters.steps * parameters.photos_per_step / seconds,
            (parameters.epochs - epoch - 1) * seconds / 60,
        )
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return history


def _mean(logs: Sequence[dict[str, Any]], name: str) -> float:
    return float(np.mean([step[name] for step in logs]))


def _in_words(logs: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in logs.items())


def _compiled(
    network: keras.Model, photos: TrainingPhotos, parameters: TrainingParameters
) -> keras.Model:
    """Return the network with heads for labels and for what the teacher sees."""
    layers, (features,) = keras.layers, network.outputs
    outputs = {"label": layers.Dense(len({*photos.labels}), name="label")(features)}
    losses = {"label": keras.losses.CategoricalCrossentropy(from_logits=True)}
    weights = {"label": 1.0}
    if photos.targets is not None:
        width = photos.targets.seen.shape[1]
        outputs[COPIED] = layers.Dense(width, name=COPIED)(features)
        outputs[ALIKE] = layers.Identity(name=ALIKE)(features)
        losses |= {COPIED: keras.losses.CosineSimilarity(), ALIKE: unlikeness}
        weight = photos.targets.weight
        weights |= {COPIED: weight, ALIKE: ALIKENESS * weight}
    model = keras.Model(network.inputs, outputs)
    model.compile(
        _optimizer(parameters),
        loss=losses,
        loss_weights=weights,
        metrics={"label": ["accuracy"]},
    )
    return model


def unlikeness(seen: Any, features: Any) -> Any:
    """Return how far photos are from being as alike as a teacher sees them.

    Alike is the cosine between two photos of a batch, from their middle (after Tung and
    Mori, 2019, "Similarity-preserving knowledge distillation").

    Args:
        seen: By the teacher, `float32 [n, d]`, whose middle is zero over all photos.
        features: Of the same photos, `float32 [n, width]`.

    Returns:
        Of each photo the squared differences, summed over the batch, `float32 [n]`.
    """
    centred = features - keras.ops.mean(features, axis=0)
    return keras.ops.sum((_cosines(centred) - _cosines(seen)) ** 2, axis=1)


def _cosines(vectors: Any) -> Any:
    directions = keras.ops.normalize(vectors, axis=1)
    return directions @ keras.ops.transpose(directions)


def _probe(network: keras.Model, photos: TrainingPhotos, seed: int) -> list[np.ndarray]:
    """Return a head that tells labels apart by the features as they are.

    A head that begins by chance spoils features while it learns (Kumar et al., 2022,
    "Fine-tuning can distort pretrained features and underperform out-of-distribution").
    """
    labels = np.array(photos.labels)
    rows = sample(labels, PROBED, seed)
    features = features_of(network, [photos.images[row] for row in rows])
    known = Labelled(features, labels[rows], groups=rows)
    head = regress(known, PROBE_STRENGTH)
    return [head.weights, head.bias]


def _optimizer(parameters: TrainingParameters) -> keras.Optimizer:
    steps = parameters.epochs * parameters.steps
    warm_up = int(WARM_UP * steps)
    rate = keras.optimizers.schedules.CosineDecay(
        parameters.learning_rate / 20,
        decay_steps=steps - warm_up,
        warmup_target=parameters.learning_rate,
        warmup_steps=warm_up,
    )
    return keras.optimizers.AdamW(
        rate,
        weight_decay=WEIGHT_DECAY,
        use_ema=True,
        ema_momentum=max(0, 1 - 1 / (AVERAGED * steps)),
    )


def _state(folder: Path, epochs: int) -> Path:
    return folder / f"epoch-{epochs:04}.weights.h5"


def _keep(model: keras.Model, history: History, folder: Path) -> None:
    """Leave the state after an epoch in a folder, and only then forget that before."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_weights(_state(folder, len(history)))
    write_whole(str(folder / HISTORY), json.dumps(history).encode())
    _state(folder, len(history) - 1).unlink(missing_ok=True)


def _resume(model: keras.Model, folder: Path) -> History:
    """Put a model where an earlier training was, and return how that went."""
    if not (folder / HISTORY).exists():
        return []
    history: History = json.loads((folder / HISTORY).read_text())
    model.optimizer.build(model.trainable_variables)  # its state is among the weights
    model.load_weights(_state(folder, len(history)))
    logger.info("Training goes on after epoch %d", len(history))
    return history
