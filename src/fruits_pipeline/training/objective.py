"""Outputs, losses and optimiser of a training. Importing it requires TensorFlow."""

from __future__ import annotations

from typing import Any

import keras

from fruits_pipeline.parameters import TrainingParameters
from fruits_pipeline.training.data import (
    FEATURE_OUTPUT,
    SIMILARITY_OUTPUT,
    TrainingPhotos,
)

SIMILARITY_WEIGHT = 0.16
"""Weight of the similarity loss, a sum over the batch, relative to the feature loss."""

WEIGHT_DECAY = 1e-4

WARMUP_SHARE = 0.05
"""Share of the steps in which the learning rate increases linearly (warm-up)."""

WARMUP_FACTOR = 20
"""Factor by which the learning rate increases during the warm-up."""

AVERAGING_SHARE = 1 / 6
"""Time constant of the moving average of the weights, relative to all steps."""


def compile_model(
    network: keras.Model, photos: TrainingPhotos, parameters: TrainingParameters
) -> keras.Model:
    """Return a compiled model: the network with an output for each loss.

    The losses are the cross-entropy of the labels and, with a teacher, the negative cosine
    between predicted and teacher embeddings (feature loss) and `similarity_loss`.

    Args:
        network: Network from pixels to features; the model shares its weights.
        photos: Photos to train on.
        parameters: Parameters of the training.
    """
    layers, (features,) = keras.layers, network.outputs
    outputs = {"label": layers.Dense(len({*photos.labels}), name="label")(features)}
    losses = {"label": keras.losses.CategoricalCrossentropy(from_logits=True)}
    weights = {"label": 1.0}
    if (targets := photos.targets) is not None:
        predict = layers.Dense(targets.embeddings.shape[1], name=FEATURE_OUTPUT)
        outputs[FEATURE_OUTPUT] = predict(features)
        outputs[SIMILARITY_OUTPUT] = layers.Identity(name=SIMILARITY_OUTPUT)(features)
        losses[FEATURE_OUTPUT] = keras.losses.CosineSimilarity()
        losses[SIMILARITY_OUTPUT] = similarity_loss
        weights[FEATURE_OUTPUT] = targets.weight
        weights[SIMILARITY_OUTPUT] = SIMILARITY_WEIGHT * targets.weight
    model = keras.Model(network.inputs, outputs)
    model.compile(
        _optimizer(parameters),
        loss=losses,
        loss_weights=weights,
        metrics={"label": ["accuracy"]},
    )
    return model


def similarity_loss(embeddings: Any, features: Any) -> Any:
    """Compare the similarities between photos of a batch with those of the teacher.

    The similarity of two photos is the cosine between their features, which are centred
    within the batch. Source: Tung and Mori: Similarity-Preserving Knowledge Distillation,
    2019; here with cosines instead of normalised scalar products.

    Args:
        embeddings: Teacher embeddings, `float32 [n, d]`, centred over all photos.
        features: Features of the same photos, `float32 [n, width]`.

    Returns:
        For each photo, the sum over the batch of squared differences, `float32 [n]`.
    """
    centred = features - keras.ops.mean(features, axis=0)
    return keras.ops.sum((_cosines(centred) - _cosines(embeddings)) ** 2, axis=1)


def _cosines(vectors: Any) -> Any:
    """Return the cosines between all pairs of rows, `float32 [n, n]`."""
    directions = keras.ops.normalize(vectors, axis=1)
    return directions @ keras.ops.transpose(directions)


def _optimizer(parameters: TrainingParameters) -> keras.Optimizer:
    """Return AdamW with warm-up, cosine decay and a moving average of the weights.

    Sources: Loshchilov and Hutter: Decoupled Weight Decay Regularization, 2019 (AdamW),
    and SGDR: Stochastic Gradient Descent with Warm Restarts, 2017 (cosine decay); Goyal
    et al.: Accurate, Large Minibatch SGD, 2017 (warm-up); Polyak and Juditsky:
    Acceleration of Stochastic Approximation by Averaging, 1992 (averaging of weights).
    """
    steps = parameters.epochs * parameters.steps
    warmup_steps = int(WARMUP_SHARE * steps)
    learning_rate = keras.optimizers.schedules.CosineDecay(
        parameters.learning_rate / WARMUP_FACTOR,
        decay_steps=steps - warmup_steps,
        warmup_target=parameters.learning_rate,
        warmup_steps=warmup_steps,
    )
    return keras.optimizers.AdamW(
        learning_rate,
        weight_decay=WEIGHT_DECAY,
        use_ema=True,
        ema_momentum=max(0, 1 - 1 / (AVERAGING_SHARE * steps)),
    )
